"""Defects of the hypervisor's own side: it accepts a request and does nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from harness.guests.guest import Guest
from harness.hypervisors.base import Machine
from harness.hypervisors.facets.host_services import host_services_of

Act = Callable[[Sequence[Guest]], None]
"""An action on the guests of a case, just before it."""


def deaf_host(method: str, side: Callable[[Machine], object] = host_services_of) -> Act:
    """A hypervisor that accepts a request about a machine and does nothing."""

    def act(guests: Sequence[Guest]) -> None:
        setattr(side(guests[0].machine), method, lambda *_, **__: None)

    return act
