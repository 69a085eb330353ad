"""A Windows guest's starting, running and ending."""

from __future__ import annotations

from harness.errors import ChannelError
from harness.guests.answers import LATEST, fields, number, text
from harness.guests.os import Ending
from harness.guests.windows.log import WindowsLog

NOT_BY_ITSELF = ("EventLog 6008:", "Microsoft-Windows-Kernel-Power 41:")
"""What is logged at the start after an end that nobody had asked Windows for."""


class WindowsLifecycle(WindowsLog):
    """See harness.guests.os.Lifecycle."""

    def boot_id(self) -> str:
        """The time of this boot with a random mark, made when it is first asked for.

        The mark is kept where only memory is. A fast start of Windows 8 or later, being a kernel
        that woke, has the id of the boot before it.
        """
        told = text(self.ask("boot_id"), "boot id")
        if not told.strip():
            raise ChannelError("the guest tells no boot id")
        return told.strip()

    def uptime(self) -> float:
        """Seconds since boot by the guest's own clock, which stands while it is paused."""
        return number(self.ask("uptime"), "uptime") / 1000

    def clock(self) -> float:
        """Seconds since 1970 by the guest's clock."""
        told = self.ask("clock")
        if isinstance(told, bool) or not isinstance(told, int | float):
            raise ChannelError(f"the guest's clock is not a number: {str(told)[:80]!r}")
        if not 0 <= told <= LATEST * 1000:
            raise ChannelError(f"the guest's clock is not a number in bounds: {str(told)[:80]!r}")
        return told / 1000

    def startup(self) -> tuple[float, float]:
        """Seconds until the desktop was there, and until the system was idle after that.

        Source: event 100 of Windows' own performance log. Both are 0 where it is not there (yet).
        """
        told = self.ask("startup")
        if told is None:
            return 0.0, 0.0
        event = fields(told, "account of its start")
        return event.number("kernel") / 1000, event.number("services") / 1000

    def settled(self) -> str:
        """What of Setup and of the services is still being started; mostly nothing."""
        told = fields(self.ask("settled"), "state")
        if told.number("setup"):
            return "Windows Setup"
        starting = told.texts("starting")
        return f"the services {', '.join(starting)[:200]}" if starting else ""

    def sync(self) -> None:
        """Write the system volume down to its disk."""
        self.ask("sync")

    def power_off(self) -> None:
        """Ask for power-off from inside; returns at once."""
        self.do("shutdown.exe", "/s", "/f", "/t", "1")

    def reboot(self) -> None:
        """Ask for a reboot from inside; returns at once."""
        self.do("shutdown.exe", "/r", "/f", "/t", "1")

    def ended_cleanly(self, said: bytes, ending: Ending) -> bool:
        """Whether the log of this boot tells of no unexpected end; the console tells nothing."""
        return not any(line.text.startswith(NOT_BY_ITSELF) for line in self.kernel_log())

    def crash(self, *, after: int) -> None:
        """Have Windows stop with a bug check `after` so many seconds; returns at once.

        A process that Windows can not do without is ended: CRITICAL_PROCESS_DIED (0xEF).
        """
        self.start("crash", str(after))

    def hang(self) -> None:
        """Give every processor to threads of real-time priority two seconds from now."""
        self.start("hang")
