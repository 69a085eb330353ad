"""Live state: each worker's current activity, in a file for the progress display."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

LINE_LIMIT = 120
"""Characters of the newest console line that are shown."""


@dataclass(frozen=True)
class LiveState:
    """One worker's current activity; `since` is in seconds since the epoch."""

    worker: str
    guest: str
    case: str
    state: str
    since: float
    console: str  # the console's log file; empty if it has none

    def newest_line(self) -> str:
        """The console's newest line, bounded, without control characters."""
        if not self.console:
            return ""
        try:
            with Path(self.console).open("rb") as log:
                log.seek(max(0, Path(self.console).stat().st_size - 2048))
                text = log.read().decode("utf-8", errors="replace")
        except OSError:
            return ""
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        newest = lines[-1] if lines else ""
        return "".join(c if c.isprintable() else "·" for c in newest)[-LINE_LIMIT:]


class LiveWriter:
    """Writes one worker's state; each replaces the previous one."""

    def __init__(self, folder: Path, worker: str) -> None:
        self._file = folder / f"{worker}.json"
        self._worker = worker
        self._guest = ""
        self._case = ""

    def case(self, guest: str, case: str) -> None:
        """Report that a case starts."""
        self._guest, self._case = guest, case
        self.report("running", None)

    def report(self, state: str, console: Path | None) -> None:
        """Report the current activity. A state that cannot be written is dropped."""
        live = LiveState(
            self._worker, self._guest, self._case, state, time.time(), str(console or "")
        )
        with suppress(OSError):  # a full disk fails the work itself, with a better message
            self._file.parent.mkdir(parents=True, exist_ok=True)
            fresh = self._file.with_suffix(".new")
            fresh.write_text(json.dumps(asdict(live)), encoding="utf-8")
            fresh.replace(self._file)


def live_states(folder: Path) -> Iterator[LiveState]:
    """The current state of every worker; a file that is just being replaced is skipped."""
    for file in sorted(folder.glob("*.json")):
        try:
            yield LiveState(**json.loads(file.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            continue
