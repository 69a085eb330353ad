"""Boot, uptime and shutdown of a Linux guest."""

from __future__ import annotations

from harness.guests.answers import LATEST, decimal, whole_number, word
from harness.guests.linux.shell import LinuxShell
from harness.guests.os import Ending

FAREWELL = {Ending.REBOOT: b"reboot: ", Ending.POWER_OFF: b"reboot: Power down"}
"""The kernel's console output at the end of its own shutdown."""


class LinuxLifecycle(LinuxShell):
    """See harness.guests.os.Lifecycle."""

    def boot_id(self) -> str:
        """The kernel's random id of this boot: a new one proves a reboot."""
        return self.read("/proc/sys/kernel/random/boot_id").strip()

    def uptime(self) -> float:
        """Seconds since boot by the guest's own clock, which stands while it is paused."""
        return decimal(word(self.read("/proc/uptime"), 0, "uptime"), "uptime")

    def clock(self) -> float:
        """Seconds since 1970 by the guest's clock."""
        return decimal(self.sh("date +%s.%N"), "clock", most=LATEST)

    def startup(self) -> tuple[float, float]:
        """Seconds that the kernel with its initrd took to start, and all services after it.

        Source: systemd's own time stamps, from its kernel's start on. Both are 0 without systemd.
        """
        shown = self.sh(
            "systemctl show --property=UserspaceTimestampMonotonic"
            " --property=FinishTimestampMonotonic --value || printf '0\\n0\\n'"
        )
        kernel, done = (
            whole_number(word(shown, place, "start-up times"), "start-up time") / 1e6
            for place in (0, 1)
        )
        return kernel, max(0.0, done - kernel)

    def settled(self) -> str:
        """Wait for the end of start-up, including cloud-init's; until then returns systemd's state.

        systemd may report itself as running while drivers are still being loaded, and a program
        that waits for a device (such as the power button) does not have it yet.
        """
        state = self.sh(
            "if command -v udevadm >/dev/null; then udevadm settle --timeout=300; fi;"
            " if command -v systemctl >/dev/null; then systemctl is-system-running --wait; fi; :",
            seconds=60,
        ).strip()
        return "" if state in ("running", "degraded", "") else f"systemd {state}"

    def sync(self) -> None:
        """Sync all file systems to their disks."""
        self.sh("sync")

    def power_off(self) -> None:
        """Ask for power-off from inside; returns at once."""
        self.sh("(sleep 1; poweroff) >/dev/null 2>&1 &")

    def reboot(self) -> None:
        """Ask for a reboot from inside; returns at once."""
        self.sh("(sleep 1; reboot) >/dev/null 2>&1 &")

    def ended_cleanly(self, console_output: bytes, ending: Ending) -> bool:
        """Whether the kernel reported the end of its own shutdown on its console."""
        return FAREWELL[ending] in console_output

    def crash(self, *, after: int) -> None:
        """Make the kernel panic `after` so many seconds; returns at once."""
        self.sh(
            '(sleep "$1"; echo 1 >/proc/sys/kernel/sysrq; echo c >/proc/sysrq-trigger) >&- 2>&- &',
            str(after),
        )

    def hang(self) -> None:
        """Occupy every processor with a real-time loop, two seconds from now."""
        self.sh(
            # Since 6.12 the kernel reserves a part of each second for others by default.
            "for file in /sys/kernel/debug/sched/fair_server/cpu*/runtime; do"
            ' [ ! -e "$file" ] || echo 0 >"$file"; done;'
            " echo -1 >/proc/sys/kernel/sched_rt_runtime_us;"
            " for n in $(seq 0 $(($(nproc) - 1))); do"
            " (sleep 2; exec taskset -c $n chrt -f 99 sh -c 'while :; do :; done') >&- 2>&- & done"
        )
