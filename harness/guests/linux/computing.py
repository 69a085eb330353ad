"""A Linux guest's processors and memory."""

from __future__ import annotations

import re

from harness.errors import ChannelError, NotApplicable
from harness.guests.linux.shell import LinuxShell, fields
from harness.guests.os import Processor

FLAG_NAMES = {"sse4.1": "sse4_1", "sse4.2": "sse4_2", "pclmuldq": "pclmulqdq"}
"""Flags that libvirt and Linux name differently."""


class LinuxComputing(LinuxShell):
    """See harness.guests.os.Computing."""

    def cpus_online(self) -> int:
        """Processors that the scheduler uses."""
        return _count_ranges(self.read("/sys/devices/system/cpu/online"))

    def cpus_present(self) -> int:
        """Processors that the machine has."""
        return _count_ranges(self.read("/sys/devices/system/cpu/present"))

    def missing_flags(self, expected: set[str]) -> set[str]:
        """Which of the flags, by libvirt's names, the kernel has not found."""
        return {FLAG_NAMES.get(flag, flag) for flag in expected} - self.processor_flags()

    def processor_flags(self) -> set[str]:
        """What the kernel found its first processor to offer, by the kernel's names."""
        for line in self.read("/proc/cpuinfo").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "flags":
                return set(value.split())
        raise ChannelError("the guest's /proc/cpuinfo names no flags")

    def processors(self) -> list[Processor]:
        """Every online processor, with its place."""
        listed = self.sh(
            "for c in /sys/devices/system/cpu/cpu[0-9]*; do t=$c/topology;"
            ' [ -e "$t/core_id" ] || continue;'
            ' echo "${c##*cpu}|$(cat "$t/physical_package_id")|$(cat "$t/core_id")|'
            '$(cat "$t/thread_siblings_list")"; done'
        )
        found = []
        for line in listed.splitlines():
            number, socket, core, siblings = fields(line, 4)
            found.append(Processor(int(number), int(socket), int(core), siblings))
        return found

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
        nodes = {}
        for line in listed.splitlines():
            node, processors, kilobytes = fields(line, 3)
            nodes[int(node)] = (_count_ranges(processors), int(kilobytes) * 1024)
        return nodes

    def runs_on(self, processor: int) -> int:
        """The number of the processor on which a thread runs that is bound to this one."""
        bound = self.sh('taskset -c "$1" cat /proc/self/stat', str(processor))
        return int(bound.rpartition(")")[2].split()[36])

    def memory_available(self) -> int:
        """Bytes that programs could still have, by the kernel's own estimate."""
        return self._memory("MemAvailable")

    def memory_total(self) -> int:
        """Bytes of memory that the kernel manages."""
        return self._memory("MemTotal")

    def _memory(self, name: str) -> int:
        match = re.search(rf"{name}:\s+(\d+) kB", self.read("/proc/meminfo"))
        if match is None:
            raise ChannelError(f"the guest's /proc/meminfo has no {name}")
        return int(match.group(1)) * 1024


def _count_ranges(text: str) -> int:
    """Count the members of a kernel list such as `0-2,4`."""
    count = 0
    for part in text.strip().split(","):
        first, _, last = part.partition("-")
        count += int(last or first) - int(first) + 1
    return count
