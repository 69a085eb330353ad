"""Programs of a guest's own system, with their arguments and input."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Program:
    """A program with its arguments and its input."""

    arguments: tuple[str, ...]
    stdin: bytes = b""
