"""What a Windows guest answers, read by the types that are expected; all else is an error."""

from __future__ import annotations

from typing import Any

from harness.errors import ChannelError

TEXT_LIMIT = 4096
"""Characters of a text that are kept."""

LARGEST = 2**64 - 1
"""Of CIM's numbers, which have up to 64 bits."""


class Fields:
    """The fields of one answered object, by their names."""

    def __init__(self, document: dict[str, Any], what: str) -> None:
        self._document = document
        self._what = what

    def text(self, name: str) -> str:
        """A text without the space around it; empty where there is none, as CIM often has it."""
        value = self._document.get(name)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise self._unsound(name, value)
        return value[:TEXT_LIMIT].strip()

    def long_text(self, name: str) -> str:
        """A text of any length that an answer may have."""
        value = self._document.get(name)
        if not isinstance(value, str):
            raise self._unsound(name, value)
        return value

    def number(self, name: str) -> int:
        """A number that is not negative."""
        value = self._document.get(name)
        if not isinstance(value, int) or not is_number(value):
            raise self._unsound(name, value)
        return value

    def flag(self, name: str) -> bool:
        """Yes or no."""
        value = self._document.get(name)
        if not isinstance(value, bool):
            raise self._unsound(name, value)
        return value

    def texts(self, name: str) -> list[str]:
        """A list of texts; empty where there is none."""
        value = self._document.get(name)
        return [] if value is None else texts(value, f"{name} of {self._what}")

    def objects(self, name: str) -> list[Fields]:
        """A list of objects."""
        return entries(self._document.get(name), f"{name} of {self._what}")

    def _unsound(self, name: str, value: object) -> ChannelError:
        return ChannelError(
            f"the guest's {self._what} has no sound {name}, but {str(value)[:80]!r}"
        )


def is_number(value: object) -> bool:
    """Whether it is a number as CIM has them."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST


def number(answer: object, what: str) -> int:
    """The answer, which is a whole number and not negative."""
    if not isinstance(answer, int) or not is_number(answer):
        raise ChannelError(f"the guest's {what} is no number: {str(answer)[:80]!r}")
    return answer


def flag(answer: object, what: str) -> bool:
    """The answer, which is yes or no."""
    if not isinstance(answer, bool):
        raise ChannelError(f"the guest's {what} is neither true nor false: {str(answer)[:80]!r}")
    return answer


def text(answer: object, what: str) -> str:
    """The answer, which is a text."""
    if not isinstance(answer, str):
        raise ChannelError(f"the guest's {what} is no text: {str(answer)[:80]!r}")
    return answer


def texts(answer: object, what: str) -> list[str]:
    """The answer, which is a list of texts."""
    if not isinstance(answer, list) or not all(isinstance(entry, str) for entry in answer):
        raise ChannelError(f"the guest's {what} is no list of texts: {str(answer)[:80]!r}")
    return [entry[:TEXT_LIMIT] for entry in answer]


def fields(answer: object, what: str) -> Fields:
    """The answer, which is an object."""
    if not isinstance(answer, dict):
        raise ChannelError(f"the guest's {what} is no object: {str(answer)[:80]!r}")
    return Fields(answer, what)


def entries(answer: object, what: str) -> list[Fields]:
    """The answer, which is a list of objects."""
    if not isinstance(answer, list):
        raise ChannelError(f"the guest's {what} is no list: {str(answer)[:80]!r}")
    return [fields(entry, what) for entry in answer]
