"""A Linux guest's processors and memory."""

from __future__ import annotations

from harness.errors import ChannelError, NotApplicable
from harness.guests.answers import decimal, rows, whole_number, word
from harness.guests.linux.shell import LinuxShell
from harness.guests.os import Processor

FLAG_NAMES = {"sse4.1": "sse4_1", "sse4.2": "sse4_2", "pclmuldq": "pclmulqdq"}
"""Flags that libvirt and Linux name differently."""


MOST_PROCESSORS = 2**16
"""Linux's kernels count up to 8192 of them."""


class LinuxCpuMemory(LinuxShell):
    """See harness.guests.os.CpuMemory."""

    def cpus_online(self) -> int:
        """The number of processors that the scheduler uses."""
        return _count_ranges(self.read("/sys/devices/system/cpu/online"))

    def cpus_present(self) -> int:
        """The number of processors that the machine has."""
        return _count_ranges(self.read("/sys/devices/system/cpu/present"))

    def missing_flags(self, expected: set[str]) -> set[str]:
        """The flags, by libvirt's names, that the kernel does not find."""
        return {FLAG_NAMES.get(flag, flag) for flag in expected} - self.processor_flags()

    def processor_flags(self) -> set[str]:
        """The flags of the first processor, by the kernel's names."""
        for line in self.read("/proc/cpuinfo").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "flags":
                return set(value.split())
        raise ChannelError("the guest's /proc/cpuinfo names no flags")

    def processors(self) -> list[Processor]:
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

    def memory_available(self) -> int:
        """Bytes that programs can still allocate, by the kernel's own estimate."""
        return self._memory("MemAvailable")

    def memory_total(self) -> int:
        """Bytes of memory that the kernel manages."""
        return self._memory("MemTotal")

    def load(self) -> float:
        """The kernel's average of the last minute, three seconds from now."""
        return decimal(word(self.sh("sleep 3; cat /proc/loadavg"), 0, "load"), "load")

    def _memory(self, name: str) -> int:
        for line in self.read("/proc/meminfo").splitlines():
            key, _, value = line.partition(":")
            if key == name:
                return whole_number(value.removesuffix(" kB"), name) * 1024
        raise ChannelError(f"the guest's /proc/meminfo has no {name}")


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
