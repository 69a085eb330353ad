"""A Windows guest that answers what is kept in tests/data/windows, and runs nothing."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.channels.base import CommandResult
from harness.guests.windows.powershell import SCRIPTS, command

DATA = Path(__file__).resolve().parents[1] / "data" / "windows"

NAMES = {command(file.stem): file.stem for file in SCRIPTS.glob("*.ps1")}

BY_WORD = {"firmware", "markers", "raw_disk", "read_file", "switch_driver"}
"""Scripts whose first value says what is wanted of them."""


@dataclass
class RecordedWindows:
    """A Runner. Remembers what it was asked for: scripts with their values, and programs."""

    system: str
    asked: list[tuple[str, ...]] = field(default_factory=list)
    programs: list[tuple[str, ...]] = field(default_factory=list)
    said: bytes | None = None  # instead of what is kept
    exit_status: int | None = None

    def __call__(
        self, arguments: Sequence[str], *, stdin: bytes = b"", seconds: float = 30
    ) -> CommandResult:
        """Answer; a program that is no script of ours ends with 0 and says nothing."""
        script = NAMES.get(tuple(arguments))
        if script is None:
            self.programs.append(tuple(arguments))
            return CommandResult(tuple(arguments), self.exit_status or 0, b"", b"denied")
        values = values_of(stdin)
        self.asked.append((script, *values))
        said = self._kept(script, values) if self.said is None else self.said
        status = self.exit_status
        if status is None:
            status = 0 if b'"answer"' in said else 1
        return CommandResult(tuple(arguments), status, said, b"")

    def _kept(self, script: str, values: Sequence[str]) -> bytes:
        if script == "instances":
            _, class_name, _, *properties = values
            return _with(self._read(class_name), properties)
        if script in BY_WORD:
            return self._read(f"{script}-{values[0]}")
        if script == "registry":
            return self._read(f"{script}-{values[1]}")
        return self._read(script)

    def _read(self, name: str) -> bytes:
        return (DATA / self.system / f"{name}.json").read_bytes()


def values_of(stdin: bytes) -> tuple[str, ...]:
    """The values that a script finds in what it is given."""
    lines = stdin.split(b"\r\n")[:-1]
    assert all(line.startswith(b":") for line in lines), stdin
    return tuple(base64.b64decode(line[1:], validate=True).decode() for line in lines)


def _with(document: bytes, properties: Sequence[str]) -> bytes:
    """The answer with these properties alone; one that no instance has is no true property."""
    answer: Mapping[str, list[dict[str, object]]] = json.loads(document)
    found = [{name: one[name] for name in properties} for one in answer["answer"]]
    return json.dumps({"answer": found}).encode()
