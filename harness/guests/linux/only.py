"""What Linux alone has: cases reach it through `Guest.linux`, which rules other guests out."""

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
"""Loaded anew, since a driver that is there keeps the time it began with. The chipset may have a
watchdog of its own, and either may be /dev/watchdog; kernels before 3.5 know of one alone."""


class LinuxOnly(LinuxShell):
    """Devices and files that no other OS shows, or not so."""

    def require_kernel(self, version: tuple[int, int], promise: str) -> None:
        """Raise NotApplicable where the kernel is older than the version that first made a promise.

        A distribution may have ported it back: then it is not verified, and nothing is held
        against the guest.
        """
        release = self.read("/proc/sys/kernel/osrelease")
        found = re.match(r"(\d{1,4})\.(\d{1,4})", release)
        if found is None:
            raise ChannelError(f"the guest's kernel has no sound release: {release[:80]!r}")
        if (int(found[1]), int(found[2])) < version:
            since = ".".join(map(str, version))
            raise NotApplicable(f"Linux {promise} since {since}, and this is {found[0]}")

    def interrupts(self, kind: str) -> int:
        """How many interrupts of a kind (`NMI`, ...) all processors have taken since boot."""
        for line in self.read("/proc/interrupts").splitlines():
            name, _, counts = line.strip().partition(":")
            if name == kind:
                counted = [count for count in counts.split() if count.isdecimal()]
                return sum(whole_number(count, f"count of {kind}") for count in counted)
        raise ChannelError(f"the guest's /proc/interrupts counts no {kind}")

    def load_watchdog(self, *, heartbeat: int) -> str:
        """Have QEMU's watchdog fire after `heartbeat` seconds; its device, empty where none is.

        Raises NotApplicable for a kernel that was built or packaged without the driver.
        """
        device = self.sh(WATCHDOG, str(heartbeat)).strip()
        if device == "none":
            raise NotApplicable("the guest's kernel has no driver i6300esb")
        return device

    def pet_watchdog(self, device: str, *, seconds: int) -> None:
        """Pet it each second, then leave it without the farewell that would stop it."""
        self.sh(
            'exec 9>"$1"; for n in $(seq "$2"); do echo . >&9; sleep 1; done',
            *(device, str(seconds)),
            seconds=seconds + 10,
        )

    def random_source(self) -> str:
        """The device from which the kernel takes randomness, by its name."""
        return self.read("/sys/class/misc/hw_random/rng_current")

    def random_from_device(self, count: int) -> list[str]:
        """So many bytes of that device, in hexadecimal digits."""
        return self.sh('head -c "$1" /dev/hwrng | od -An -tx1', str(count)).split()

    def random_at_once(self, count: int) -> int:
        """How many of so many random bytes the kernel gives within five seconds."""
        told = self.sh('timeout 5 head -c "$1" /dev/random | wc -c', str(count))
        return whole_number(told, "count of random bytes")

    def unsign(self, path: str) -> None:
        """Take the signatures from a loader or a kernel."""
        self.sh(UNSIGN, path)

    def leave_last_words(self, words: str) -> None:
        """Say something in the kernel's log, where a crash dump has it."""
        self.sh('echo "<5>$1" >/dev/kmsg; sync', words)
