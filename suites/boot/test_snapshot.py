"""boot.snapshot: set back to a snapshot, a guest is what it was."""

from harness.errors import NotApplicable
from harness.guests.guest import Guest
from harness.guests.lasting import start_counting
from harness.hypervisors.base import Capability
from harness.lab.bench import Bench
from harness.plugin.markers import cost, feature, requires

NAMES = ("first", "second", "third")
ON_DISK = "/var/lib/guestcert-snapshots"
IN_MEMORY = "/run/guestcert-snapshots"


@feature("boot.snapshot")
@requires(Capability.SNAPSHOT)
@cost(120)
def test_three_snapshots_in_a_chain_can_be_gone_back_to(guest: Guest, bench: Bench) -> None:
    """What came after a snapshot is gone once it is gone back to, in memory and on disk."""
    if guest.definition.nvram is not None and Capability.UEFI_SNAPSHOT not in bench.capabilities:
        raise NotApplicable(f"the hypervisor lacks {Capability.UEFI_SNAPSHOT}")
    boot_id = guest.os.boot_id()
    count = start_counting(guest)
    for name in NAMES:
        _leave(guest, name)
        guest.machine.take_snapshot(name)
    _leave(guest, "after")
    assert _left(guest, ON_DISK) == _left(guest, IN_MEMORY) == {*NAMES, "after"}

    for back_to in reversed(NAMES):
        guest.revert(back_to)

        kept = set(NAMES[: NAMES.index(back_to) + 1])
        assert _left(guest, ON_DISK) == kept, f"on disk, after going back to {back_to}"
        assert _left(guest, IN_MEMORY) == kept, f"in memory, after going back to {back_to}"
        assert guest.os.boot_id() == boot_id
        count.await_beyond(count.value())


def _leave(guest: Guest, name: str) -> None:
    script = 'for f in "$1" "$2"; do mkdir -p "$f"; touch "$f/$3"; done; sync'
    guest.os.sh(script, ON_DISK, IN_MEMORY, name)


def _left(guest: Guest, folder: str) -> set[str]:
    return set(guest.os.sh('ls "$1"', folder).split())
