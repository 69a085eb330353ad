"""What each worker is doing now, left in a file for whoever shows the progress."""

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
    """One worker's present work; `since` is in seconds of the system's clock."""

    worker: str
    guest: str
    case: str
    state: str
    since: float
    console: str  # the console's log file, empty where there is none

    def newest_line(self) -> str:
        """The console's newest line, bounded, its control characters taken out."""
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
    """Writes one worker's state, replacing what it said before."""

    def __init__(self, folder: Path, worker: str) -> None:
        self._file = folder / f"{worker}.json"
        self._worker = worker
        self._guest = ""
        self._case = ""

    def case(self, guest: str, case: str) -> None:
        """A case begins."""
        self._guest, self._case = guest, case
        self.say("running", None)

    def say(self, state: str, console: Path | None) -> None:
        """Tell what is being done now; where it can't be written down, nobody is told."""
        live = LiveState(
            self._worker, self._guest, self._case, state, time.time(), str(console or "")
        )
        with suppress(OSError):  # a full disk stops the work itself, and with better words
            self._file.parent.mkdir(parents=True, exist_ok=True)
            fresh = self._file.with_suffix(".new")
            fresh.write_text(json.dumps(asdict(live)), encoding="utf-8")
            fresh.replace(self._file)


def live_states(folder: Path) -> Iterator[LiveState]:
    """What every worker says now; a file that is just being replaced is passed over."""
    for file in sorted(folder.glob("*.json")):
        try:
            yield LiveState(**json.loads(file.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            continue
