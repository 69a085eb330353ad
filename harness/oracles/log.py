"""Log oracle: what a guest's log proves, once it reaches back far enough."""

from __future__ import annotations

from dataclasses import dataclass

from harness.guests.guest import Guest
from harness.guests.log_records import LogLine
from harness.guests.log_rules import CRITICAL, FaultKind, LogRules, Mark
from harness.oracles.control import control


def faults(guest: Guest, *, level: int = CRITICAL) -> list[str]:
    """The first lines of all records since boot that report a fault, or are this severe."""
    return guest.os.log.rules.faults(guest.os.log.lines(), level=level)


@dataclass(frozen=True)
class CompleteLog:
    """The log since boot, which shows a mark: only such a one proves that something is missing."""

    lines: list[LogLine]
    rules: LogRules

    @classmethod
    def of(cls, guest: Guest, *, back_to: Mark = Mark.BOOT) -> CompleteLog:
        """Read it; raises ControlFailedError where it does not show the mark."""
        log = cls(guest.os.log.lines(), guest.os.log.rules)
        with control():
            assert log.rules.shows(back_to, log.lines), f"the log does not show: {back_to}"
        return log

    def faults(self) -> list[str]:
        """The first lines of the records that report a fault, or are critical."""
        return self.rules.faults(self.lines)

    def found(self, kind: FaultKind) -> list[str]:
        """The first lines of the records that report a fault of this kind."""
        return self.rules.found(kind, self.lines)
