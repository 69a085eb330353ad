"""A Windows guest's processors and memory."""

from __future__ import annotations

import base64
import re
import struct
from collections.abc import Iterator

from harness.errors import ChannelError, NotApplicable
from harness.guests.answers import Fields, fields, number
from harness.guests.os import Processor
from harness.guests.windows.powershell import WindowsShell

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


class WindowsCpuMemory(WindowsShell):
    """See harness.guests.os.CpuMemory."""

    def cpus_online(self) -> int:
        """The number of processors that Windows uses."""
        system = self.instance("Win32_ComputerSystem", "NumberOfLogicalProcessors")
        return system.number("NumberOfLogicalProcessors")

    def cpus_present(self) -> int:
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

    def processors(self) -> list[Processor]:
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
            memory[nodes[0].number("Number")] = self.memory_total()
        return {
            node.number("Number"): (len(_members(node)), memory[node.number("Number")])
            for node in nodes
        }

    def runs_on(self, processor: int) -> int:
        """The number of the processor on which a thread bound to this one runs."""
        return number(self.ask("affinity", str(processor)), "processor")

    def memory_available(self) -> int:
        """Bytes that programs can still allocate, including those that only caches hold."""
        system = self.instance("Win32_OperatingSystem", "FreePhysicalMemory")
        return system.number("FreePhysicalMemory") * 1024

    def memory_total(self) -> int:
        """Bytes of memory that Windows manages."""
        system = self.instance("Win32_OperatingSystem", "TotalVisibleMemorySize")
        return system.number("TotalVisibleMemorySize") * 1024

    def load(self) -> float:
        """How busy the busiest processor was in the last second, in percent."""
        found = self.instances("Win32_Processor", "LoadPercentage")
        return float(max((one.number("LoadPercentage") for one in found), default=0))

    def _topology(self) -> Fields:
        return fields(self.ask("topology"), "topology")


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
