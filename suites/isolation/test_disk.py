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

    start = _write(neighbours.first, mark)

    # The control: the same scan, of the same place, finds the mark where it was written.
    assert _scan(neighbours.first, mark, start), "the scan does not even find it on A's own disk"
    assert not _scan(neighbours.second, mark, start), "A's writes are on B's disk"
    assert not neighbours.second.os.succeeds("test", "-e", "/root/mark")
    assert _digest(image.path) == image.digest, "the base image has changed"


@feature("isolation.disk")
@cost(20)
def test_a_new_disk_reads_zeros(guest: Guest, bench: Bench, target: Target) -> None:
    """What a guest wrote is gone with its disk: the next one in its place finds none of it."""
    mark = f"guestcert-{secrets.token_hex(16)}"
    start = _write(guest, mark)
    assert _scan(guest, mark, start), "the scan does not even find what was just written"

    fresh = bench.place(target.profile, target.variant, "guest").pristine()

    assert not _scan(fresh, mark, start), "a disk made anew holds what was on the one before it"
    free = fresh.os.sh(
        'dd if="/dev/$1" bs=512 skip="$2" count=2048 status=none | tr -d "\\0" | wc -c',
        fresh.os.root_device(),
        str(start),
    )
    assert int(free) == 0, "never written blocks of a new disk do not read as zeros"


def _write(guest: Guest, mark: str) -> int:
    """Fill a file with the mark, down to the disk; returns its first sector on the disk."""
    script = (
        'yes "$1" | head -c 8388608 > /root/mark && sync && echo 3 > /proc/sys/vm/drop_caches;'
        " part=$(basename $(findmnt -no SOURCE /));"
        " block=$(filefrag -b512 -v /root/mark | awk '$1 == \"0:\" {print $4}');"
        " echo $(( ${block%..} + $(cat /sys/class/block/$part/start) ))"
    )
    return int(guest.os.sh(script, mark, seconds=60))


def _scan(guest: Guest, mark: str, start: int) -> bool:
    """Whether the mark is on the raw disk around sector `start`."""
    script = (
        "echo 3 > /proc/sys/vm/drop_caches;"
        ' dd if="/dev/$1" bs=1M iflag=skip_bytes skip="$2" count="$3" status=none'
        ' | grep -acF "$4" || :'
    )
    first = max(0, start * 512 - SCANNED_MIB // 2 * 1024 * 1024)
    device = guest.os.root_device()
    found = guest.os.sh(script, device, str(first), str(SCANNED_MIB), mark, seconds=60)
    return int(found) > 0


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
