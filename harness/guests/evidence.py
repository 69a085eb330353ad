"""Evidence of a failure: logs, definition, screen of a guest, even of a dead one; bounded."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from harness.guests.guest import Guest
from harness.guests.text import bounded_lines
from harness.hypervisors.description import description_file
from harness.hypervisors.facets.display import DISPLAY
from harness.hypervisors.facets.processors import PROCESSORS
from harness.time_accounting import Phase

LIMIT = 1024 * 1024
"""Bytes kept of each text: the newest."""


class EvidenceCollector:
    """Writes the evidence of a failure into a folder, with secrets redacted."""

    def __init__(self, secrets: tuple[str, ...]) -> None:
        self._secrets = secrets

    def collect(self, guest: Guest, folder: Path, *, console_since: int) -> list[Path]:
        """Write the evidence of one guest; returns the files. Never raises, whatever is broken.

        `console_since` is the console log's length at the start of the case.
        """
        with guest.ledger.on(Phase.EVIDENCE):
            prefix = folder / guest.name
            files = [
                self._text(f"{prefix}-console.log", lambda: _tail(guest, console_since)),
                self._description(prefix, guest),
                self._text(f"{prefix}-hypervisor.log", guest.machine.hypervisor_log),
                self._text(f"{prefix}-guest.log", lambda: self._guest_log(guest)),
            ]
            if PROCESSORS in guest.machine.facets:
                processors = guest.machine.facet(PROCESSORS)
                files.append(self._text(f"{prefix}-processors.txt", processors.state))
            if DISPLAY in guest.machine.facets:
                files.append(_screenshot(guest, Path(f"{prefix}-screen.png")))
            return [file for file in files if file is not None]

    def redact(self, text: str) -> str:
        """`text` without the run's secrets."""
        for secret in self._secrets:
            text = text.replace(secret, "[redacted]")
        return text

    def _text(self, file: str, read: Callable[[], str]) -> Path | None:
        return _written(Path(file), self._read(read))

    def _description(self, prefix: Path, guest: Guest) -> Path | None:
        text = self._read(guest.machine.description)
        return _written(Path(f"{prefix}-{description_file(text)}"), text)

    def _read(self, read: Callable[[], str]) -> str:
        try:
            text = read()
        except Exception as error:  # any error of a dead machine is evidence too
            text = f"could not be read: {error}"
        return self.redact(text)[-LIMIT:]

    def _guest_log(self, guest: Guest) -> str:
        """The guest's own log, through a channel that answers at once: a login might hang."""
        channels = [channel for channel in (guest.direct, guest.agent) if channel is not None]
        channel = next((each for each in channels if each.answers(timeout=2.0)), None)
        if channel is None:
            return "no channel into the guest answers, so its own log could not be read"
        result = channel.run(guest.os.log.recent, timeout=guest.budget(10).seconds)
        return "\n".join(bounded_lines(self.redact(result.text), limit=LIMIT))


def _tail(guest: Guest, since: int) -> str:
    with guest.console_log.open("rb") as log:
        size = os.fstat(log.fileno()).st_size
        # A flooded log was cut to its newest part, which is newer than the mark.
        log.seek(max(since if since <= size else 0, size - LIMIT))
        data = log.read(LIMIT)
    return data.decode("utf-8", errors="replace")


def _screenshot(guest: Guest, file: Path) -> Path | None:
    try:
        picture = guest.machine.facet(DISPLAY).screenshot()
    except Exception:
        return None  # a machine that is off has no screen; its other evidence stands
    return _written(file, picture)


def _written(file: Path, content: str | bytes) -> Path | None:
    """Write a file; None where it cannot be written, as on a full disk."""
    data = content if isinstance(content, bytes) else content.encode("utf-8", errors="replace")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    except OSError:
        return None
    return file
