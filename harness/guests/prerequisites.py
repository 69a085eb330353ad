"""What a case's feature builds on, looked for in the ready guest before the case."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from harness.errors import Blocked
from harness.guests.guest import Guest
from harness.guests.integration import Heartbeat, HeartbeatState
from harness.profiles.catalogue import foundations


def _heartbeat(guest: Guest) -> str:
    state = Heartbeat(guest).state()
    return "" if state is HeartbeatState.OK else f"the guest's heartbeat is {state}"


LOOKS: Mapping[str, Callable[[Guest], str]] = {"integration.heartbeat": _heartbeat}
"""For each feature that others build on: what is wrong with it in this guest; empty: nothing.

A look and not the outcome of that feature's cases: these run in any order, on other workers, and
one that failed for its own reason (a panic was noticed too late) says nothing of the others.
"""


def require_foundations(guest: Guest, feature: str) -> None:
    """Raise Blocked where one of the features that `feature` builds on is not there."""
    for foundation in foundations(feature):
        if wrong := LOOKS[foundation](guest):
            raise Blocked(foundation, wrong)
