"""Injected faults of a host: each strikes once, at a counted moment."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from enum import StrEnum

from tests.fakes.powershell_remoting.envelope import WsmanError


class Moment(StrEnum):
    """When a fault can strike: at a request of the client, or at a script."""

    CREATE = "Create"
    COMMAND = "Command"
    SEND = "Send"
    RECEIVE = "Receive"
    SIGNAL = "Signal"
    DELETE = "Delete"
    RUN = "run"  # the script starts; the current or next request for its answer is struck
    REPLY = "reply"  # the script has ended; the request for its answer is struck


@dataclass(frozen=True)
class Cut:
    """The connection ends without an answer. A running script continues."""


class Hold:
    """Everything is held until the test calls `release`; what is held at the end never continues.

    A script that is held at RUN does not start; meanwhile the client learns, as from Windows, that
    its operation has timed out. A request that is held is not answered at all. `struck` is set as
    soon as something waits here.
    """

    def __init__(self) -> None:
        self.struck = threading.Event()
        self._ended = threading.Event()
        self._abandoned = False

    def release(self) -> None:
        """Let it continue."""
        self._ended.set()

    def abandon(self) -> None:
        """Let it end without continuing, unless it was released."""
        self._abandoned = not self._ended.is_set()
        self._ended.set()

    def wait(self) -> None:
        """Wait here, in the server; raises ConnectionError where it must not continue."""
        self.struck.set()
        self._ended.wait()
        if self._abandoned:
            raise ConnectionAbortedError("the server closes")


Fault = Cut | Hold | WsmanError
"""Kinds of faults; a WsmanError is answered as HTTP 500."""


def strike(fault: Fault) -> None:
    """Let a fault strike the request that this thread answers."""
    match fault:
        case Cut():
            raise ConnectionAbortedError("a test ordered this cut")
        case Hold():
            fault.wait()
        case WsmanError():
            raise fault


@dataclass
class _Order:
    fault: Fault
    at: Moment | None
    skip: int


class Faults:
    """Injected faults that have not struck yet."""

    def __init__(self) -> None:
        self._orders: list[_Order] = []
        self._holds: list[Hold] = []
        self._closed = False
        self._lock = threading.Lock()

    def order(self, fault: Fault, at: Moment | None = None, *, after: int = 0) -> None:
        """Strike once, when `after` such moments have passed; without `at` at any request."""
        with self._lock:
            self._orders.append(_Order(fault, at, after))

    def due(self, moment: Moment) -> Fault | None:
        """The fault that strikes now; each call counts as a moment."""
        struck: _Order | None = None
        with self._lock:
            for order in self._orders:
                if order.at is not moment and (
                    order.at is not None or moment in (Moment.RUN, Moment.REPLY)
                ):
                    continue
                if order.skip:
                    order.skip -= 1
                elif struck is None:
                    struck = order
            if struck is None:
                return None
            self._orders.remove(struck)
            if isinstance(struck.fault, Hold):
                self._holds.append(struck.fault)
                if self._closed:
                    struck.fault.abandon()
            return struck.fault

    def close(self) -> None:
        """Release everything that is held."""
        with self._lock:
            self._closed = True
            for hold in self._holds:
                hold.abandon()
