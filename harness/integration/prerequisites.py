"""Prerequisites: the features that a case builds on, checked in the ready guest before it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from harness.errors import Blocked
from harness.features.catalogue import foundations
from harness.guests.guest import Guest
from harness.integration.contract import HeartbeatState
from harness.integration.services import services_of


def _heartbeat(guest: Guest) -> str:
    state = services_of(guest).heartbeat.state()
    return "" if state is HeartbeatState.OK else f"the guest's heartbeat is {state}"


CHECKS: Mapping[str, Callable[[Guest], str]] = {"integration.heartbeat": _heartbeat}
"""For each feature that others build on: a check that returns its fault in this guest, or "".

A check, not the outcome of that feature's cases: those run in any order, on other workers, and one
that failed for a reason of its own (a panic was noticed too late) proves nothing about the others.
"""


def require_foundations(guest: Guest, feature: str) -> None:
    """Raise Blocked where a feature that `feature` builds on does not work."""
    for foundation in foundations(feature):
        if wrong := CHECKS[foundation](guest):
            raise Blocked(foundation, wrong)
