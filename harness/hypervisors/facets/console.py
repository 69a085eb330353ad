"""Serial console."""

from __future__ import annotations

import socket
from typing import Protocol

from harness.hypervisors.capabilities import MachineFacet


class SerialConsole(Protocol):
    """A machine's first serial port."""

    def open(self) -> socket.socket:
        """Both directions; the caller drains and closes it."""
        ...


CONSOLE = MachineFacet[SerialConsole]("console")
