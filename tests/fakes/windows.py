"""A Windows guest that replays the answers in tests/data/windows, and runs nothing."""

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
"""Scripts whose first value selects the operation."""


@dataclass
class RecordedWindows:
    """A Runner. Records its calls: scripts with their values, and programs."""

    system: str
    asked: list[tuple[str, ...]] = field(default_factory=list)
    programs: list[tuple[str, ...]] = field(default_factory=list)
    reply: bytes | None = None  # instead of the kept answer
    exit_status: int | None = None

    def __call__(
        self, arguments: Sequence[str], *, stdin: bytes = b"", seconds: float = 30
    ) -> CommandResult:
        """Answer; a program that is not one of the scripts ends with 0 and prints nothing."""
        script = NAMES.get(tuple(arguments))
        if script is None:
            self.programs.append(tuple(arguments))
            return CommandResult(tuple(arguments), self.exit_status or 0, b"", b"denied")
        values = values_of(stdin)
        self.asked.append((script, *values))
        output = self._kept(script, values) if self.reply is None else self.reply
        status = self.exit_status
        if status is None:
            status = 0 if b'"answer"' in output else 1
        return CommandResult(tuple(arguments), status, output, b"")

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
    """The values in a script's input."""
    lines = stdin.split(b"\r\n")[:-1]
    assert all(line.startswith(b":") for line in lines), stdin
    return tuple(base64.b64decode(line[1:], validate=True).decode() for line in lines)


def _with(document: bytes, properties: Sequence[str]) -> bytes:
    """The answer with these properties only; a property that no instance has is an error."""
    answer: Mapping[str, list[dict[str, object]]] = json.loads(document)
    found = [{name: one[name] for name in properties} for one in answer["answer"]]
    return json.dumps({"answer": found}).encode()
