"""Typed parsing of a guest's answers; anything of another type is a ChannelError.

Windows answers in JSON, a Linux guest in words, lines, and a few lists in JSON.
"""

from __future__ import annotations

import base64
import re
from typing import Any

from harness.errors import ChannelError

TEXT_LIMIT = 4096
"""Characters of a text that are kept."""

LARGEST = 2**64 - 1
"""The largest number of CIM, which has up to 64 bits."""


class Fields:
    """The fields of one object in an answer."""

    def __init__(self, document: dict[str, Any], what: str) -> None:
        self._document = document
        self._what = what

    def text(self, name: str) -> str:
        """A text, stripped; empty where it is null, as often in CIM."""
        value = self._document.get(name)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise self._invalid(name, value)
        return value[:TEXT_LIMIT].strip()

    def long_text(self, name: str) -> str:
        """A text, not shortened."""
        value = self._document.get(name)
        if not isinstance(value, str):
            raise self._invalid(name, value)
        return value

    def number(self, name: str) -> int:
        """A number that is not negative."""
        value = self._document.get(name)
        if not isinstance(value, int) or not is_number(value):
            raise self._invalid(name, value)
        return value

    def flag(self, name: str) -> bool:
        """A boolean."""
        value = self._document.get(name)
        if not isinstance(value, bool):
            raise self._invalid(name, value)
        return value

    def texts(self, name: str) -> list[str]:
        """A list of texts; empty where it is null."""
        value = self._document.get(name)
        return [] if value is None else texts(value, f"{name} of {self._what}")

    def objects(self, name: str) -> list[Fields]:
        """A list of objects."""
        return entries(self._document.get(name), f"{name} of {self._what}")

    def _invalid(self, name: str, value: object) -> ChannelError:
        return ChannelError(
            f"the guest's {self._what} has no valid {name}, but {str(value)[:80]!r}"
        )


def is_number(value: object) -> bool:
    """Whether it is a non-negative integer of up to 64 bits, like CIM's."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST


def number(answer: object, what: str) -> int:
    """The answer as a non-negative integer."""
    if not isinstance(answer, int) or not is_number(answer):
        raise ChannelError(f"the guest's {what} is not a number: {str(answer)[:80]!r}")
    return answer


def flag(answer: object, what: str) -> bool:
    """The answer as a boolean."""
    if not isinstance(answer, bool):
        raise ChannelError(f"the guest's {what} is neither true nor false: {str(answer)[:80]!r}")
    return answer


def text(answer: object, what: str) -> str:
    """The answer as a text."""
    if not isinstance(answer, str):
        raise ChannelError(f"the guest's {what} is not a text: {str(answer)[:80]!r}")
    return answer


def base64_bytes(answer: object, what: str) -> bytes:
    """The bytes that the answer encodes in base64."""
    try:
        return base64.b64decode(text(answer, what), validate=True)
    except ValueError as error:
        raise ChannelError(f"the guest's {what} is not base64") from error


def texts(answer: object, what: str) -> list[str]:
    """The answer as a list of texts."""
    if not isinstance(answer, list) or not all(isinstance(entry, str) for entry in answer):
        raise ChannelError(f"the guest's {what} is not a list of texts: {str(answer)[:80]!r}")
    return [entry[:TEXT_LIMIT] for entry in answer]


def fields(answer: object, what: str) -> Fields:
    """The answer as an object."""
    if not isinstance(answer, dict):
        raise ChannelError(f"the guest's {what} is not an object: {str(answer)[:80]!r}")
    return Fields(answer, what)


def entries(answer: object, what: str) -> list[Fields]:
    """The answer as a list of objects."""
    if not isinstance(answer, list):
        raise ChannelError(f"the guest's {what} is not a list: {str(answer)[:80]!r}")
    return [fields(entry, what) for entry in answer]


LATEST = 2.0**40
"""The latest time, in seconds since 1970, that a clock may show: a wrong one is decades off."""

WHOLE = re.compile(r"-?[0-9]{1,20}")
DECIMAL = re.compile(r"-?[0-9]{1,20}(?:\.[0-9]{1,20})?")


def whole_number(text: str, what: str, *, least: int = 0, most: int = LARGEST) -> int:
    """Parse an integer within bounds; `what` names it in the error."""
    plain = text.strip()
    if WHOLE.fullmatch(plain) is None or not least <= (value := int(plain)) <= most:
        raise ChannelError(f"the guest's {what} is not a number in bounds: {text[:80]!r}")
    return value


def decimal(text: str, what: str, *, most: float = float(LARGEST)) -> float:
    """Parse a finite non-negative number, with or without decimals."""
    plain = text.strip()
    if DECIMAL.fullmatch(plain) is None or not 0 <= (value := float(plain)) <= most:
        raise ChannelError(f"the guest's {what} is not a number in bounds: {text[:80]!r}")
    return value


def word(text: str, position: int, what: str) -> str:
    """The word of a text at a position, counted from 0."""
    words = text[:TEXT_LIMIT].split()
    if len(words) <= position:
        raise ChannelError(f"the guest's {what} has too few words: {text[:80]!r}")
    return words[position]


def rows(text: str, columns: int, what: str) -> list[list[str]]:
    """The lines of a text, each with that many columns, separated by `|`."""
    table = [line.split("|") for line in text.splitlines()]
    for row in table:
        if len(row) != columns:
            raise ChannelError(
                f"the guest's {what} has the line {'|'.join(row)[:80]!r}, not {columns} columns"
            )
    return table
