"""boot.clone: two guests from one image are distinct, and a copy notices that it is a copy."""

from harness.errors import NotApplicable
from harness.guests.guest import Guest
from harness.hypervisors.capabilities import GENERATION_ID
from harness.hypervisors.facets.snapshots import SAVED_STATES
from harness.oracles.control import control
from harness.plugin.fixtures import Clones
from harness.plugin.markers import cost, feature, requires

NOTICED = "crng reseeded due to virtual machine fork"
"""Linux's message since 5.18 when its VM generation id changes (drivers/char/random.c)."""


@feature("boot.clone")
@cost(320)
def test_two_clones_of_an_image_have_their_own_identity(clones: Clones) -> None:
    """Booted from one image, two guests have their own machine id, host keys and MAC address."""
    for clone in (clones.first, clones.second):
        clone.boot()
        clone.await_settled()

    first, second = (clone.os.network.identity() for clone in (clones.first, clones.second))

    with control():  # values that are missing are not different
        for identity in (first, second):
            assert [what for what, value in identity.items() if not value] == []
    assert [what for what, value in first.items() if value & second[what]] == []


@feature("boot.clone")
@requires(SAVED_STATES, GENERATION_ID)
@cost(80)
def test_a_copy_notices_that_it_is_one(machine: Guest) -> None:
    """A guest that is resumed as a copy of itself notices it, and reseeds its random numbers."""
    driver = machine.profile.drivers.generation_id
    if driver is None:
        raise NotApplicable(
            f"the profile {machine.profile.id} names no driver for the generation id"
        )
    machine.redefine(generation_id=True)
    machine.boot()
    machine.await_settled()
    assert machine.os.devices.has_acpi_driver(driver), "no driver for it"
    with control():  # a guest that is resumed as itself is not a copy
        machine.machine.pause()
        machine.machine.resume()
        assert _noticed(machine) == []
    state = machine.folder / "copied.state"

    machine.machine.facet(SAVED_STATES).save(state)
    machine.restore(state)
    state.unlink()

    awaited = "the guest to notice that it is a copy"
    machine.wait_for(lambda: _noticed(machine) != [], awaited, seconds=5)


def _noticed(machine: Guest) -> list[str]:
    return [line.text for line in machine.os.log.lines() if NOTICED in line.text]
