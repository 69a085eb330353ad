"""isolation.network.segment: guests on different isolated networks cannot reach each other."""

import pytest

from harness.guests.guest import Guest
from harness.hypervisors.capabilities import NETWORK
from harness.hypervisors.facets.nics import NIC_MOVE
from harness.oracles.control import control
from harness.plugin.fixtures import Neighbours
from harness.plugin.markers import cost, feature, only_on, requires
from harness.profiles.model import System
from harness.workloads.traffic import Endpoint, TrafficKind, can_reach


@feature("isolation.network.segment")
@requires(NETWORK, NIC_MOVE)
@only_on(System.LINUX, because="its prober sends and receives raw frames, as Linux allows")
@pytest.mark.parametrize("kind", list(TrafficKind), ids=str)
@cost(60)
def test_nothing_crosses_between_segments(neighbours: Neighbours, kind: TrafficKind) -> None:
    """The same packet reaches a neighbour on the same network, and not one on another."""
    first, second = Endpoint.of(neighbours.first), Endpoint.of(neighbours.second)
    with control():  # on one network the probe arrives, so its absence means something
        assert can_reach(first, second, kind), f"{kind} does not even arrive on the same network"

    _move(neighbours, second.guest, "b")

    assert not can_reach(first, second, kind), f"{kind} crosses from one network into another"
    assert not can_reach(second, first, kind), f"{kind} crosses from one network into another"


def _move(neighbours: Neighbours, guest: Guest, name: str) -> None:
    network, _ = neighbours.networks.get(name)
    guest.machine.facet(NIC_MOVE).move(guest.definition.nics[0].mac, network.name)
