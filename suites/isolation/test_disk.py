"""isolation.disk: what one guest writes reaches no other guest's disk, nor the base image."""

import hashlib
import secrets
from pathlib import Path

from harness.guests.guest import Guest
from harness.lab.bench import Bench
from harness.plugin.collection import Target
from harness.plugin.fixtures import Neighbours
from harness.plugin.markers import cost, feature

SCANNED_MIB = 64


@feature("isolation.disk")
@cost(60)
def test_writes_stay_on_their_own_disk(
    neighbours: Neighbours, bench: Bench, target: Target
) -> None:
    """A's writes are neither on B's disk nor in the base image; A's own scan finds them."""
    image = bench.image(target.profile)
    mark = f"guestcert-{secrets.token_hex(16)}"

    start = neighbours.first.os.fill(mark)

    # The control: the same scan, of the same place, finds the mark where it was written.
    assert _scan(neighbours.first, mark, start), "the scan does not even find it on A's own disk"
    assert not _scan(neighbours.second, mark, start), "A's writes are on B's disk"
    assert not neighbours.second.os.has_file_of_marks()
    assert _digest(image.path) == image.digest, "the base image has changed"


@feature("isolation.disk")
@cost(20)
def test_a_new_disk_reads_zeros(guest: Guest, bench: Bench, target: Target) -> None:
    """What a guest wrote is gone with its disk: the next one in its place finds none of it."""
    mark = f"guestcert-{secrets.token_hex(16)}"
    start = guest.os.fill(mark)
    assert _scan(guest, mark, start), "the scan does not even find what was just written"

    fresh = bench.place(target.profile, target.variant, "guest").pristine()

    assert not _scan(fresh, mark, start), "a disk made anew holds what was on the one before it"
    written = fresh.os.bytes_not_zero(sector=start, count=2048)
    assert written == 0, "never written blocks of a new disk do not read as zeros"


def _scan(guest: Guest, mark: str, start: int) -> bool:
    """Whether the mark is on the raw disk around sector `start`."""
    first = max(0, start * 512 - SCANNED_MIB // 2 * 1024 * 1024)
    return guest.os.disk_holds(mark, start=first, mebibytes=SCANNED_MIB)


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
