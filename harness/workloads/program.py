"""Carried programs: carry one into a guest, start it, await its events, stop it.

A program reports each event as a line of JSON on its output: an object with `event`, and mostly a
`value`. It is bounded: it ends by itself in an abandoned guest, and only the newest part of its
output is read.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from harness.errors import GuestTimeout, HarnessError
from harness.guests.answers import Fields
from harness.guests.background import CarriedProgram, Interpreter
from harness.guests.guest import Guest
from harness.waiting import NotYet

FOLDER = Path(__file__).with_name("programs")

SUFFIXES = {
    ".sh": Interpreter.SHELL,
    ".py": Interpreter.PYTHON,
    ".ps1": Interpreter.POWERSHELL,
}

NEWEST = 4096
"""Bytes of an output that are read for its newest events."""


@cache
def program(name: str) -> CarriedProgram:
    """The program of that name, with every version in the folder `programs`."""
    texts = {
        interpreter: file.read_text(encoding="ascii")
        for suffix, interpreter in SUFFIXES.items()
        if (file := FOLDER / f"{name}{suffix}").exists()
    }
    if not texts:
        raise HarnessError(f"no program is named {name}")
    return CarriedProgram(name, texts)


def carry(guest: Guest, name: str) -> Carried:
    """Carry a program into a guest.

    Raises HarnessError where the guest lacks its interpreter: that is not a verdict on the guest.
    """
    carried = Carried(guest, program(name))
    guest.os.background.install(carried.program)
    return carried


@dataclass(frozen=True)
class Carried:
    """A program in a guest, ready to start."""

    guest: Guest
    program: CarriedProgram

    def start(self, *arguments: str, on_disk: bool = False) -> RunningProgram:
        """Start it; with `on_disk` its output survives a reboot."""
        output = f"{self.program.name}-{secrets.token_hex(4)}"
        process = self.guest.os.background.start(self.program, output, arguments, on_disk=on_disk)
        return RunningProgram(self.guest, output, process, on_disk)


@dataclass(frozen=True)
class RunningProgram:
    """A program that was started in a guest, and its output."""

    guest: Guest
    output: str
    process: int
    on_disk: bool

    def events(self, *, limit: int = NEWEST) -> list[Fields]:
        """The events in the newest `limit` bytes of its output, in complete lines."""
        return list(_events_in(self._newest(limit), self.output))

    def await_event(
        self, *names: str, seconds: float, error: type[Exception] = GuestTimeout
    ) -> Fields:
        """Wait for one of these events for `seconds` (with KVM); returns it, or raises `error`."""

        def reported() -> Fields:
            text = self._newest(NEWEST)
            for event in _events_in(text, self.output):
                if event.text("event") in names:
                    return event
            raise NotYet(f"the output {text[-200:]!r}")

        awaited = f"{self.output} in {self.guest.name} to report {' or '.join(names)}"
        return self.guest.wait_for(reported, awaited, seconds=seconds, error=error)

    def stop(self) -> None:
        """Ask it to end."""
        self.guest.os.background.stop(self.process)

    def _newest(self, limit: int) -> str:
        return self.guest.os.background.output(self.output, limit=limit, on_disk=self.on_disk)


def _events_in(text: str, what: str) -> Iterator[Fields]:
    """The complete lines that are objects; others are messages of the interpreter."""
    for line in text.split("\n")[:-1]:
        try:
            document = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(document, dict):
            yield Fields(document, f"event of {what}")
