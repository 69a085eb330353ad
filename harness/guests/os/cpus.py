"""Processors."""

from __future__ import annotations

import base64
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from harness.errors import ChannelError, NotApplicable
from harness.guests.answers import Fields, decimal, fields, number, rows, whole_number, word
from harness.guests.linux.shell import LinuxShell
from harness.guests.os.memory import WindowsMemory
from harness.guests.runner import Runner
from harness.guests.windows.powershell import WindowsShell


@dataclass(frozen=True)
class Processor:
    """A processor's place in the topology, by the kernel's numbers; cores count within a socket."""

    number: int
    socket: int
    core: int
    siblings: str  # the threads of its core, as a kernel list


FLAG_NAMES = {"sse4.1": "sse4_1", "sse4.2": "sse4_2", "pclmuldq": "pclmulqdq"}
"""Flags that libvirt and Linux name differently."""

MOST_PROCESSORS = 2**16
"""Linux's kernels count up to 8192 of them."""

CORE, NODE, PACKAGE = 0, 1, 3
"""Relations between processors, by Windows' numbers (LOGICAL_PROCESSOR_RELATIONSHIP)."""

FEATURES = {
    "mmx": 3,
    "sse": 6,
    "tsc": 8,
    "pae": 9,
    "sse2": 10,
    "nx": 12,
    "pni": 13,
    "cx16": 14,
    "xsave": 17,
    "ssse3": 36,
    "sse4.1": 37,
    "sse4.2": 38,
    "avx": 39,
    "avx2": 40,
}
"""libvirt's flags that Windows reports, by its numbers (IsProcessorFeaturePresent)."""

SINCE_2004 = 36
"""The first of the numbers that Windows reports since build 19041, and denied before."""

SRAT_HEADER = 48

MEMORY_AFFINITY = 1

MEMORY_FORMAT = struct.Struct("<BBI2xQQ4xI")
"""ACPI's structure of a node's memory: type, length, node, base, length, flags; bit 0: in use."""


class Cpus(Protocol):
    """Processors."""

    def online(self) -> int:
        """The number of processors that the scheduler uses."""

    def present(self) -> int:
        """The number of processors that the machine has."""

    def missing_flags(self, expected: set[str]) -> set[str]:
        """The flags, by libvirt's names, that the system does not find."""

    def topology(self) -> list[Processor]:
        """Every online processor, with its place in the topology."""

    def numa_nodes(self) -> dict[int, tuple[int, int]]:
        """Processors and bytes of memory of each NUMA node."""

    def runs_on(self, processor: int) -> int:
        """The number of the processor on which a thread bound to this one runs."""

    def load(self) -> float:
        """How busy the processors were in the last seconds; 0 is idle."""


class LinuxCpus(LinuxShell):
    """See Cpus."""

    def online(self) -> int:
        """The number of processors that the scheduler uses."""
        return _count_ranges(self.read("/sys/devices/system/cpu/online"))

    def present(self) -> int:
        """The number of processors that the machine has."""
        return _count_ranges(self.read("/sys/devices/system/cpu/present"))

    def missing_flags(self, expected: set[str]) -> set[str]:
        """The flags, by libvirt's names, that the kernel does not find."""
        return {FLAG_NAMES.get(flag, flag) for flag in expected} - self.processor_flags()

    def topology(self) -> list[Processor]:
        """Every online processor, with its place in the topology."""
        listed = self.sh(
            "for c in /sys/devices/system/cpu/cpu[0-9]*; do t=$c/topology;"
            ' [ -e "$t/core_id" ] || continue;'
            ' echo "${c##*cpu}|$(cat "$t/physical_package_id")|$(cat "$t/core_id")|'
            '$(cat "$t/thread_siblings_list")"; done'
        )
        return [
            Processor(
                _processor(number),
                # A kernel that does not know a place reports -1.
                whole_number(socket, "socket", least=-1, most=MOST_PROCESSORS),
                whole_number(core, "core", least=-1, most=2**31),
                siblings,
            )
            for number, socket, core, siblings in rows(listed, 4, "list of processors")
        ]

    def numa_nodes(self) -> dict[int, tuple[int, int]]:
        """Processors and bytes of memory of each NUMA node.

        Raises NotApplicable for a kernel built without NUMA, as most of 32 bits are.
        """
        listed = self.sh(
            "[ -d /sys/devices/system/node ] || { echo none; exit 0; };"
            " for n in /sys/devices/system/node/node[0-9]*; do"
            ' echo "${n##*node}|$(cat "$n/cpulist")|'
            '$(sed -n \'s/.*MemTotal: *\\([0-9]*\\) kB/\\1/p\' "$n/meminfo")"; done'
        )
        if listed.strip() == "none":
            raise NotApplicable("the guest's kernel was built without NUMA")
        return {
            whole_number(node, "node", most=MOST_PROCESSORS): (
                _count_ranges(processors) if processors.strip() else 0,
                whole_number(kilobytes, "node's memory") * 1024,
            )
            for node, processors, kilobytes in rows(listed, 3, "list of nodes")
        }

    def runs_on(self, processor: int) -> int:
        """The number of the processor on which a thread bound to this one runs."""
        bound = self.sh('taskset -c "$1" cat /proc/self/stat', str(processor))
        return _processor(word(bound.rpartition(")")[2], 36, "process's state"))

    def load(self) -> float:
        """The kernel's average of the last minute, three seconds from now."""
        return decimal(word(self.sh("sleep 3; cat /proc/loadavg"), 0, "load"), "load")

    def processor_flags(self) -> set[str]:
        """The flags of the first processor, by the kernel's names."""
        for line in self.read("/proc/cpuinfo").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "flags":
                return set(value.split())
        raise ChannelError("the guest's /proc/cpuinfo names no flags")


class WindowsCpus(WindowsShell):
    """See Cpus."""

    def __init__(self, run: Runner, kernel: tuple[int, int] | None, memory: WindowsMemory) -> None:
        super().__init__(run, kernel)
        self._memory = memory

    def online(self) -> int:
        """The number of processors that Windows uses."""
        system = self.instance("Win32_ComputerSystem", "NumberOfLogicalProcessors")
        return system.number("NumberOfLogicalProcessors")

    def present(self) -> int:
        """The number of processors in all sockets of the machine."""
        sockets = self.instances("Win32_Processor", "NumberOfLogicalProcessors")
        return sum(socket.number("NumberOfLogicalProcessors") for socket in sockets)

    def missing_flags(self, expected: set[str]) -> set[str]:
        """The flags, by libvirt's names, that Windows does not find; it reports few.

        Raises NotApplicable where it reports none of those expected.
        """
        asked = {flag: FEATURES[flag] for flag in expected if flag in FEATURES}
        answer = fields(self.ask("features", *map(str, asked.values())), "features")
        if answer.number("build") < 19041:
            asked = {flag: feature for flag, feature in asked.items() if feature < SINCE_2004}
        if not asked:
            raise NotApplicable("Windows reports none of these processor features")
        found = answer.texts("found")
        return {flag for flag, feature in asked.items() if str(feature) not in found}

    def topology(self) -> list[Processor]:
        """Every processor, with its place in the topology."""
        groups = self._topology().objects("groups")
        packages = [_members(group) for group in groups if group.number("Relationship") == PACKAGE]
        cores = sorted(_members(g) for g in groups if g.number("Relationship") == CORE)
        found = []
        for socket, package in enumerate(sorted(packages)):
            within = [core for core in cores if set(core) <= set(package)]
            for place, core in enumerate(within):
                siblings = ",".join(map(str, core))
                found += [Processor(member, socket, place, siblings) for member in core]
        return sorted(found, key=lambda processor: processor.number)

    def numa_nodes(self) -> dict[int, tuple[int, int]]:
        """Processors and bytes of memory of each NUMA node.

        Windows reports only a node's free memory: its size is taken from the firmware's own table
        (ACPI SRAT), as Windows exposes it. Without one, all memory is in one node.
        """
        topology = self._topology()
        nodes = [g for g in topology.objects("groups") if g.number("Relationship") == NODE]
        memory = dict.fromkeys((node.number("Number") for node in nodes), 0)
        for node, size in _memory_of(topology.long_text("srat")):
            memory[node] = memory.get(node, 0) + size
        if len(nodes) == 1 and not any(memory.values()):
            memory[nodes[0].number("Number")] = self._memory.total()
        return {
            node.number("Number"): (len(_members(node)), memory[node.number("Number")])
            for node in nodes
        }

    def runs_on(self, processor: int) -> int:
        """The number of the processor on which a thread bound to this one runs."""
        return number(self.ask("affinity", str(processor)), "processor")

    def load(self) -> float:
        """How busy the busiest processor was in the last second, in percent."""
        found = self.instances("Win32_Processor", "LoadPercentage")
        return float(max((one.number("LoadPercentage") for one in found), default=0))

    def _topology(self) -> Fields:
        return fields(self.ask("topology"), "topology")


def _count_ranges(text: str) -> int:
    """Count the members of a kernel list such as `0-2,4`."""
    count = 0
    for part in text.strip().split(","):
        first, _, last = part.partition("-")
        start = _processor(first)
        count += whole_number(last or first, "processor", least=start, most=MOST_PROCESSORS)
        count += 1 - start
    return count


def _processor(text: str) -> int:
    return whole_number(text, "processor", most=MOST_PROCESSORS)


def _members(group: Fields) -> list[int]:
    mask = group.text("Mask")
    if not re.fullmatch(r"[0-9a-f]{16}", mask):
        raise ChannelError(f"the guest's set of processors is not a mask: {mask[:40]!r}")
    return [bit for bit in range(64) if int(mask, 16) >> bit & 1]


def _memory_of(table: str) -> Iterator[tuple[int, int]]:
    """The node and the size of each piece of memory in ACPI's table; it may be empty."""
    try:
        data = base64.b64decode(table, validate=True)
    except ValueError as error:
        raise ChannelError("the guest's memory table is not base64") from error
    at = SRAT_HEADER
    while at + 2 <= len(data):
        kind, length = data[at], data[at + 1]
        if length < 2 or at + length > len(data):
            raise ChannelError("the guest's memory table is truncated")
        if kind == MEMORY_AFFINITY and length >= MEMORY_FORMAT.size:
            _, _, node, _, size, flags = MEMORY_FORMAT.unpack_from(data, at)
            if flags & 1:
                yield node, size
        at += length
