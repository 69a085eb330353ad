"""Defects of the hypervisor's own side: it accepts a request and does nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from harness.guests.guest import Guest
from harness.hypervisors.capabilities import MachineFacet

Act = Callable[[Sequence[Guest]], None]
"""An action on the guests of a case, just before it."""


def deaf_host(facet: MachineFacet[Any], method: str) -> Act:
    """A hypervisor that accepts a request about a machine and does nothing."""

    def act(guests: Sequence[Guest]) -> None:
        setattr(guests[0].machine.facet(facet), method, lambda *_, **__: None)

    return act
