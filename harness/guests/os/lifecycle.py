"""Boot, clock and power of a guest's operating system."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Protocol

from harness.errors import ChannelError
from harness.guests.answers import LATEST, decimal, fields, number, text, whole_number, word
from harness.guests.linux.shell import LinuxShell
from harness.guests.os.log import WindowsLog
from harness.guests.runner import Runner
from harness.guests.windows.powershell import WindowsShell


class Ending(StrEnum):
    """The ways in which an operating system goes down by itself."""

    REBOOT = "reboot"
    POWER_OFF = "power off"


LAST_LINE = rb"(?m)(?:^|\] |reboot: )%s\.?\r?$"
FAREWELL = {
    Ending.REBOOT: re.compile(LAST_LINE % rb"Restarting system(?: with command '.*')?"),
    Ending.POWER_OFF: re.compile(LAST_LINE % rb"Power down"),
}
"""The kernel's console output at the end of its own shutdown; `reboot: ` since Linux 3.11."""

SYSTEMD_RUNS = "/run/systemd/system"
"""The folder that exists where systemd is the init system (sd_booted(3))."""

SETTLED = """if command -v udevadm >/dev/null; then udevadm settle --timeout=300; fi
[ -d "$1" ] || exit 0
state=$(systemctl is-system-running --wait 2>/dev/null)
[ -n "$state" ] || state=$(systemctl is-system-running 2>/dev/null)
[ -n "$state" ] || case $(systemctl list-jobs --no-legend 2>&1) in
''|*"No jobs"*) state=running;; *) state="with jobs";; esac
echo "$state"
"""
"""Waits, and prints systemd's state; nothing where another init system runs.

`--wait` is of systemd 240: versions before 232 refuse it, and those in between ignore it, so that
the host asks repeatedly. Versions before 215 report only a list of jobs.
"""

NOT_BY_ITSELF = ("EventLog 6008:", "Microsoft-Windows-Kernel-Power 41:")
"""The events logged at the start after an unexpected end."""


class Lifecycle(Protocol):
    """Boot, clock and power of a guest's operating system."""

    def boot_id(self) -> str:
        """Boot ID: unique to this boot; a new one proves a reboot."""

    def uptime(self) -> float:
        """Seconds since boot by the guest's own clock, which stands while it is paused."""

    def clock(self) -> float:
        """Seconds since 1970 by the guest's clock."""

    def startup(self) -> tuple[float, float]:
        """Seconds that the kernel took to start, and all services after it; 0 where unknown."""

    def settled(self) -> str:
        """Wait some time for the end of start-up; returns what is still pending, or ""."""

    def power_off(self) -> None:
        """Ask for power-off from inside; returns at once."""

    def reboot(self) -> None:
        """Ask for a reboot from inside; returns at once."""

    def ended_cleanly(self, console_output: bytes, ending: Ending) -> bool:
        """Whether the system last went down by itself, by its log or by this console output."""

    def crash(self, *, after: int) -> None:
        """Crash the kernel `after` so many seconds; returns at once."""

    def hang(self) -> None:
        """Occupy every processor, two seconds from now, so that nothing else is scheduled."""


class LinuxLifecycle(LinuxShell):
    """See Lifecycle."""

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
        state = self.sh(SETTLED, SYSTEMD_RUNS, seconds=60).strip()
        return "" if state in ("running", "degraded", "") else f"systemd {state}"

    def power_off(self) -> None:
        """Ask for power-off from inside; returns at once."""
        self.sh("(sleep 1; poweroff) >/dev/null 2>&1 &")

    def reboot(self) -> None:
        """Ask for a reboot from inside; returns at once."""
        self.sh("(sleep 1; reboot) >/dev/null 2>&1 &")

    def ended_cleanly(self, console_output: bytes, ending: Ending) -> bool:
        """Whether the kernel reported the end of its own shutdown on its console."""
        return FAREWELL[ending].search(console_output) is not None

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


class WindowsLifecycle(WindowsShell):
    """See Lifecycle."""

    def __init__(self, run: Runner, kernel: tuple[int, int] | None, log: WindowsLog) -> None:
        super().__init__(run, kernel)
        self._log = log

    def boot_id(self) -> str:
        """The time of this boot with a random mark, made at the first request.

        The mark is kept in memory only. A fast start of Windows 8 or later, which resumes a
        hibernated kernel, has the id of the boot before it.
        """
        boot_id = text(self.ask("boot_id"), "boot id").strip()
        if not boot_id:
            raise ChannelError("the guest reports no boot id")
        return boot_id

    def uptime(self) -> float:
        """Seconds since boot by the guest's own clock, which stands while it is paused."""
        return number(self.ask("uptime"), "uptime") / 1000

    def clock(self) -> float:
        """Seconds since 1970 by the guest's clock."""
        answer = self.ask("clock")
        if isinstance(answer, bool) or not isinstance(answer, int | float):
            raise ChannelError(f"the guest's clock is not a number: {str(answer)[:80]!r}")
        if not 0 <= answer <= LATEST * 1000:
            raise ChannelError(f"the guest's clock is not a number in bounds: {str(answer)[:80]!r}")
        return answer / 1000

    def startup(self) -> tuple[float, float]:
        """Seconds until the desktop appeared, and until the system was idle after that.

        Source: event 100 of Windows' own performance log. Both are 0 without it.
        """
        answer = self.ask("startup")
        if answer is None:
            return 0.0, 0.0
        event = fields(answer, "account of its start")
        return event.number("kernel") / 1000, event.number("services") / 1000

    def settled(self) -> str:
        """The parts of Setup and the services that are still being started; empty when over."""
        state = fields(self.ask("settled"), "state")
        if state.number("setup"):
            return "Windows Setup"
        starting = state.texts("starting")
        return f"the services {', '.join(starting)[:200]}" if starting else ""

    def power_off(self) -> None:
        """Ask for power-off from inside; returns at once."""
        self.do("shutdown.exe", "/s", "/f", "/t", "1")

    def reboot(self) -> None:
        """Ask for a reboot from inside; returns at once."""
        self.do("shutdown.exe", "/r", "/f", "/t", "1")

    def ended_cleanly(self, console_output: bytes, ending: Ending) -> bool:
        """Whether the log of this boot has no unexpected end; the console shows nothing of it."""
        return not any(line.text.startswith(NOT_BY_ITSELF) for line in self._log.lines())

    def crash(self, *, after: int) -> None:
        """Make Windows stop with a bug check `after` so many seconds; returns at once.

        A process that Windows depends on is ended: CRITICAL_PROCESS_DIED (0xEF).
        """
        self.start_script("crash", str(after))

    def hang(self) -> None:
        """Occupy every processor with threads of real-time priority, two seconds from now."""
        self.start_script("hang")
