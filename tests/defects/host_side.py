"""Defects of the hypervisor's own side: it takes a request and does nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from harness.guests.guest import Guest
from harness.hypervisors.base import Machine
from harness.hypervisors.host_services import host_services_of
from harness.hypervisors.metering import metering_of
from harness.hypervisors.network_policy import network_policy_of

Act = Callable[[Sequence[Guest]], None]
"""Done to the guests of a case, just before it."""


def deaf_host(method: str, side: Callable[[Machine], object] = host_services_of) -> Act:
    """A hypervisor that takes a request about a machine and does nothing."""

    def act(guests: Sequence[Guest]) -> None:
        setattr(side(guests[0].machine), method, lambda *_, **__: None)

    return act


HOST_SIDE: dict[str, Act] = {
    "test_the_host_switches_each_service_off_and_on": deaf_host("switch"),
    "test_the_host_keeps_the_pairs_that_it_gives": deaf_host("modify_pair"),
    "test_the_host_takes_checkpoints_of_a_machine_that_is_off": deaf_host("remove_checkpoint"),
    "test_the_host_takes_production_checkpoints_of_a_machine_that_is_off": deaf_host("checkpoint"),
    "test_the_host_resizes_the_memory_of_a_machine_that_is_off": deaf_host("resize_memory"),
    "test_the_host_puts_a_network_card_into_vlans": deaf_host("set_vlan", network_policy_of),
    "test_the_host_switches_each_guard_of_a_network_card": deaf_host(
        "set_guards", network_policy_of
    ),
    "test_the_host_meters_a_machine_that_is_off": deaf_host("start", metering_of),
}
"""By the case's function name: all of integration.host_services."""
