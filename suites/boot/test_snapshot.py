"""boot.snapshot: reverted to a snapshot, a guest has its state from then."""

from harness.guests.guest import Guest
from harness.hypervisors.facets.snapshots import SNAPSHOTS
from harness.oracles.control import control
from harness.plugin.markers import cost, feature, requires
from harness.workloads.counter import start_counting

NAMES = ("first", "second", "third")


@feature("boot.snapshot")
@requires(SNAPSHOTS)
@cost(120)
def test_three_snapshots_in_a_chain_can_be_gone_back_to(guest: Guest) -> None:
    """Reverting to a snapshot undoes all that came after it, in memory and on disk."""
    snapshots = guest.machine.facet(SNAPSHOTS)
    boot_id = guest.os.lifecycle.boot_id()
    count = start_counting(guest)
    for name in NAMES:
        guest.os.files.write_marker(name)
        snapshots.take(name)
    guest.os.files.write_marker("after")
    with control():
        assert (
            guest.os.files.markers_on_disk()
            == guest.os.files.markers_in_memory()
            == {*NAMES, "after"}
        )

    for back_to in reversed(NAMES):
        guest.revert(back_to)

        kept = set(NAMES[: NAMES.index(back_to) + 1])
        assert guest.os.files.markers_on_disk() == kept, f"on disk, after reverting to {back_to}"
        assert guest.os.files.markers_in_memory() == kept, (
            f"in memory, after reverting to {back_to}"
        )
        assert guest.os.lifecycle.boot_id() == boot_id
        count.await_beyond(count.value())
