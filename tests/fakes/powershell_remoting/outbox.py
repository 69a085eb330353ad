"""Fragments that wait to be fetched."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from tests.fakes.powershell_remoting.faults import Fault, strike

ROUND_A_FRAGMENT = 256  # the element around it


@dataclass(frozen=True)
class Fetched:
    """Fetched fragments; `last` means that no more follow."""

    fragments: list[bytes]
    last: bool


class Outbox:
    """Messages of a pool or pipeline for its client, in order."""

    def __init__(self) -> None:
        self._fragments: deque[bytes] = deque()
        self._faults: deque[Fault] = deque()
        self._ended = False
        self._closed: Exception | None = None
        self._changed = threading.Condition()

    def put(self, fragments: Iterable[bytes], *, last: bool = False) -> None:
        """Add these, unless the last were added before."""
        with self._changed:
            if self._ended:
                return
            self._fragments.extend(fragments)
            self._ended = last
            self._changed.notify_all()

    def fail_next(self, fault: Fault) -> None:
        """Let a fault strike the current or next request."""
        with self._changed:
            self._faults.append(fault)
            self._changed.notify_all()

    def fetch(self, room: int, seconds: float) -> Fetched | None:
        """As many fragments as fit into that room; None on a timeout."""
        with self._changed:
            self._changed.wait_for(self._worth_waking, seconds)
            if self._closed:
                raise self._closed
            fault = self._faults.popleft() if self._faults else None
        # Outside of the lock: a fault may hold.
        if fault:
            strike(fault)
        with self._changed:
            taken: list[bytes] = []
            while self._fragments:
                room -= _encoded(self._fragments[0])
                if taken and room < 0:
                    break
                taken.append(self._fragments.popleft())
            return Fetched(taken, self._ended and not self._fragments) if taken else None

    def close(self, reason: Exception) -> None:
        """Refuse current and later requests."""
        with self._changed:
            self._closed = reason
            self._changed.notify_all()

    def _worth_waking(self) -> bool:
        return bool(self._fragments or self._faults or self._closed)


def _encoded(fragment: bytes) -> int:
    return (len(fragment) + 2) // 3 * 4 + ROUND_A_FRAGMENT
