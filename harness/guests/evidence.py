"""Evidence of a failure: what can still be read of a guest, also of a dead one; bounded."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

from harness.errors import GuestcertError, GuestFailure
from harness.guests.guest import Guest
from harness.hypervisors.base import Capability
from harness.hypervisors.processors import shown_processors_of
from harness.ledger import Work

LIMIT = 1024 * 1024
"""Bytes kept of each text, the newest."""


class EvidenceCollector:
    """Writes what tells about a failure into a folder, secrets taken out."""

    def __init__(self, secrets: tuple[str, ...], capabilities: frozenset[Capability]) -> None:
        self._secrets = secrets
        self._capabilities = capabilities

    def collect(self, guest: Guest, folder: Path, *, console_since: int) -> list[Path]:
        """Write the evidence of one guest; returns the files. Never raises for a dead guest.

        `console_since` is the console log's length when the case began.
        """
        with guest.ledger.on(Work.EVIDENCE):
            folder.mkdir(parents=True, exist_ok=True)
            prefix = guest.name
            files: list[Path] = [
                self._text(folder / f"{prefix}-console.log", lambda: _tail(guest, console_since)),
                self._text(folder / f"{prefix}-machine.xml", guest.machine.description),
                self._text(folder / f"{prefix}-hypervisor.log", guest.machine.hypervisor_log),
                self._text(folder / f"{prefix}-guest.log", lambda: _guest_log(guest)),
            ]
            if shown := shown_processors_of(guest.machine):
                files.append(self._text(folder / f"{prefix}-processors.txt", shown.processors))
            if Capability.SCREENSHOT in self._capabilities:
                files += _screenshot(guest, folder / f"{prefix}-screen.png")
            return files

    def redact(self, text: str) -> str:
        """`text` without the run's secrets."""
        for secret in self._secrets:
            text = text.replace(secret, "[redacted]")
        return text

    def _text(self, file: Path, read: Callable[[], str]) -> Path:
        try:
            text = read()
        except (GuestcertError, GuestFailure, OSError) as error:
            text = f"could not be read: {error}"
        file.write_text(self.redact(text)[-LIMIT:], encoding="utf-8", errors="replace")
        return file


def _tail(guest: Guest, since: int) -> str:
    with guest.console_log.open("rb") as log:
        # A log that a flood has filled was cut to its newest part, which came after the mark.
        log.seek(since if since <= os.fstat(log.fileno()).st_size else 0)
        data = log.read(64 * LIMIT)[-LIMIT:]
    return data.decode("utf-8", errors="replace")


def _guest_log(guest: Guest) -> str:
    """The guest's own log, only where its agent answers: a login might hang for long."""
    if not guest.agent.answers(timeout=2.0):
        return "the guest agent does not answer, so the guest's own log could not be read"
    result = guest.agent.run(guest.os.recent_log, timeout=guest.budget(10).seconds)
    return re.sub(r"[^\S\n]+$", "", result.text, flags=re.MULTILINE)


def _screenshot(guest: Guest, file: Path) -> list[Path]:
    try:
        file.write_bytes(guest.machine.screenshot())
    except (GuestcertError, OSError):
        return []  # a machine that is off has no screen; its other evidence stands
    return [file]
