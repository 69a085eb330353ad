"""Programs that guestcert carries into guests, and the interpreters that run them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Interpreter(StrEnum):
    """What runs a carried program; the value is its command in a guest."""

    SHELL = "sh"
    PYTHON = "python3"
    POWERSHELL = "powershell"


@dataclass(frozen=True)
class CarriedProgram:
    """A program with its text for each interpreter that has a version of it.

    It reports its progress as JSON lines on its output, each an object with an `event`, and ends by
    itself after a bounded time.
    """

    name: str
    texts: Mapping[Interpreter, str]
