"""boot.topology: sockets, cores, threads and NUMA nodes, as defined."""

import pytest

from harness.guests.guest import Guest
from harness.hypervisors.capabilities import QEMU_DEVICES
from harness.hypervisors.definitions import Topology
from harness.plugin.markers import cost, feature, requires

KERNEL_RESERVE = 0.15
"""The share of a node's memory that the kernel reserves; the first node's is the greatest."""

SHAPES = (Topology(2, 2, 1), Topology(2, 1, 1, nodes=2))
"""One thread a core: QEMU's TCG exposes no more to a guest."""


@feature("boot.topology")
@requires(QEMU_DEVICES)
@pytest.mark.parametrize(
    "shape", SHAPES, ids=lambda s: f"{s.sockets}x{s.cores}x{s.threads}-{s.nodes}"
)
@cost(80)
def test_processors_and_nodes_are_arranged_as_defined(machine: Guest, shape: Topology) -> None:
    """The guest finds the sockets, cores, threads and nodes that its machine was given."""
    machine.redefine(vcpus=shape.sockets * shape.cores * shape.threads, topology=shape)

    machine.boot()

    seen = machine.os.cpus.topology()
    assert len(seen) == machine.definition.vcpus
    assert len({p.socket for p in seen}) == shape.sockets
    assert len({(p.socket, p.core) for p in seen}) == shape.sockets * shape.cores
    assert len({p.siblings for p in seen}) == shape.sockets * shape.cores
    nodes = machine.os.cpus.numa_nodes()
    assert len(nodes) == shape.nodes
    given = machine.definition.memory_mib * 2**20 / shape.nodes
    for node, (processors, memory) in nodes.items():
        assert processors == machine.definition.vcpus // shape.nodes, f"node {node}"
        assert given * (1 - KERNEL_RESERVE) <= memory <= given, f"node {node}"
