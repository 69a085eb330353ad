"""Boot, uptime and shutdown of a Windows guest."""

from __future__ import annotations

from harness.errors import ChannelError
from harness.guests.answers import LATEST, fields, number, text
from harness.guests.os import Ending
from harness.guests.windows.log import WindowsLog

NOT_BY_ITSELF = ("EventLog 6008:", "Microsoft-Windows-Kernel-Power 41:")
"""The events logged at the start after an unexpected end."""


class WindowsLifecycle(WindowsLog):
    """See harness.guests.os.Lifecycle."""

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

    def sync(self) -> None:
        """Sync the system volume to its disk."""
        self.ask("sync")

    def power_off(self) -> None:
        """Ask for power-off from inside; returns at once."""
        self.do("shutdown.exe", "/s", "/f", "/t", "1")

    def reboot(self) -> None:
        """Ask for a reboot from inside; returns at once."""
        self.do("shutdown.exe", "/r", "/f", "/t", "1")

    def ended_cleanly(self, console_output: bytes, ending: Ending) -> bool:
        """Whether the log of this boot has no unexpected end; the console shows nothing of it."""
        return not any(line.text.startswith(NOT_BY_ITSELF) for line in self.kernel_log())

    def crash(self, *, after: int) -> None:
        """Make Windows stop with a bug check `after` so many seconds; returns at once.

        A process that Windows depends on is ended: CRITICAL_PROCESS_DIED (0xEF).
        """
        self.start("crash", str(after))

    def hang(self) -> None:
        """Occupy every processor with threads of real-time priority, two seconds from now."""
        self.start("hang")
