"""Display and keyboard."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from harness.hypervisors.capabilities import MachineFacet


class Display(Protocol):
    """A machine's display."""

    def screenshot(self) -> bytes:
        """The display as a PNG."""
        ...


DISPLAY = MachineFacet[Display]("screenshot")


class Key(StrEnum):
    """Keys that installers ask for."""

    ENTER = "enter"
    SPACE = "space"


class Keyboard(Protocol):
    """A machine's keyboard."""

    def press(self, key: Key) -> None:
        """Press and release a key."""
        ...


KEYBOARD = MachineFacet[Keyboard]("keyboard")
