"""Linux-only operations: cases reach them through `Guest.linux`, which excludes other guests."""

from __future__ import annotations

import re

from harness.errors import ChannelError, NotApplicable
from harness.guests.answers import whole_number
from harness.guests.linux.shell import LinuxShell

UNSIGN = """f=$(readlink -f "$1"); pe=$(od -An -tu4 -j60 -N4 "$f" | tr -d ' ')
at=$((pe + 24 + 112 + 4 * 8))
od -An -tx1 -j$at -N8 "$f" | grep -q '[1-9a-f]' || { echo "$f is not signed" >&2; exit 1; }
dd if=/dev/zero of="$f" bs=1 seek=$at count=8 conv=notrunc 2>/dev/null; sync"""
"""Empties the entry of a PE32+ image's data directory that leads to its signatures.

Source: the PE format, optional header: data directories from byte 112 on, the fifth is signatures.
"""

WATCHDOG = """modprobe -n i6300esb 2>/dev/null || { echo none; exit 0; }
modprobe -r i6300esb && modprobe i6300esb heartbeat="$1" || exit 0
[ -d /sys/class/watchdog ] || { [ ! -c /dev/watchdog ] || echo /dev/watchdog; exit 0; }
for w in /sys/class/watchdog/*; do
[ "$(cat "$w/identity"):$(cat "$w/timeout")" = "i6300ESB timer:$1" ] && echo "/dev/${w##*/}"
done; :"""
"""Reloaded, since a loaded driver keeps its first timeout. The chipset may have a watchdog as well,
and either may be /dev/watchdog; kernels before 3.5 support one only."""


class LinuxOnly(LinuxShell):
    """Devices and files that no other OS has in this form."""

    def require_kernel(self, version: tuple[int, int], promise: str) -> None:
        """Raise NotApplicable where the kernel is older than the version that first made a promise.

        A distribution may have backported it: then it is not verified, and not held against the
        guest.
        """
        release = self.read("/proc/sys/kernel/osrelease")
        found = re.match(r"(\d{1,4})\.(\d{1,4})", release)
        if found is None:
            raise ChannelError(f"the guest's kernel has no valid release: {release[:80]!r}")
        if (int(found[1]), int(found[2])) < version:
            since = ".".join(map(str, version))
            raise NotApplicable(f"Linux {promise} since {since}, and this is {found[0]}")

    def interrupts(self, kind: str) -> int:
        """The number of interrupts of a kind (`NMI`, ...) on all processors since boot."""
        for line in self.read("/proc/interrupts").splitlines():
            name, _, counts = line.strip().partition(":")
            if name == kind:
                counted = [count for count in counts.split() if count.isdecimal()]
                return sum(whole_number(count, f"count of {kind}") for count in counted)
        raise ChannelError(f"the guest's /proc/interrupts counts no {kind}")

    def load_watchdog(self, *, heartbeat: int) -> str:
        """Set QEMU's watchdog to `heartbeat` seconds; returns its device, empty without one.

        Raises NotApplicable for a kernel that was built or packaged without the driver.
        """
        device = self.sh(WATCHDOG, str(heartbeat)).strip()
        if device == "none":
            raise NotApplicable("the guest's kernel has no driver i6300esb")
        return device

    def pet_watchdog(self, device: str, *, seconds: int) -> None:
        """Pet it each second, then close it without the magic character that would stop it."""
        self.sh(
            'exec 9>"$1"; for n in $(seq "$2"); do echo . >&9; sleep 1; done',
            *(device, str(seconds)),
            seconds=seconds + 10,
        )

    def random_source(self) -> str:
        """The name of the device from which the kernel takes randomness."""
        return self.read("/sys/class/misc/hw_random/rng_current")

    def random_from_device(self, count: int) -> list[str]:
        """`count` bytes of that device, in hexadecimal digits."""
        return self.sh('head -c "$1" /dev/hwrng | od -An -tx1', str(count)).split()

    def random_at_once(self, count: int) -> int:
        """The number of random bytes, at most `count`, that the kernel returns in five seconds."""
        returned = self.sh('timeout 5 head -c "$1" /dev/random | wc -c', str(count))
        return whole_number(returned, "count of random bytes")

    def unsign(self, path: str) -> None:
        """Remove the signatures from a loader or a kernel."""
        self.sh(UNSIGN, path)

    def leave_last_words(self, words: str) -> None:
        """Write a message into the kernel's log, where a crash dump has it."""
        self.sh('echo "<5>$1" >/dev/kmsg; sync', words)
