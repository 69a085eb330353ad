"""What goes wrong on a host when a test orders it: once, and at a counted moment."""

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
    RUN = "run"  # the script begins; whoever waits for its answer, or asks for it next, is struck
    REPLY = "reply"  # the script did its work; whoever asks for its answer is struck


@dataclass(frozen=True)
class Cut:
    """The connection ends, without an answer. A script that runs goes on."""


class Hold:
    """Nothing goes on until the test calls `release`; what is held at the end never does.

    A script that is held at RUN does not begin; meanwhile the client is told, as by Windows, that
    its operation has timed out. A request that is held is not answered at all. `struck` is set as
    soon as something waits here.
    """

    def __init__(self) -> None:
        self.struck = threading.Event()
        self._ended = threading.Event()
        self._abandoned = False

    def release(self) -> None:
        """Let it go on."""
        self._ended.set()

    def abandon(self) -> None:
        """Let it end without going on, unless it was released."""
        self._abandoned = not self._ended.is_set()
        self._ended.set()

    def wait(self) -> None:
        """Wait here, in the server; raises ConnectionError where it is not to go on."""
        self.struck.set()
        self._ended.wait()
        if self._abandoned:
            raise ConnectionAbortedError("the server closes")


Fault = Cut | Hold | WsmanError
"""What can be ordered; a WsmanError is answered as HTTP 500."""


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
    """The faults that were ordered and have not struck."""

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
        """The fault that strikes now; asking counts as the moment."""
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
        """Let nothing be held any more."""
        with self._lock:
            self._closed = True
            for hold in self._holds:
                hold.abandon()
