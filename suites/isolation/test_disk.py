"""isolation.disk: what one guest writes reaches no other guest's disk, nor the base image."""

import hashlib
import secrets
from pathlib import Path

from harness.guests.guest import Guest
from harness.hypervisors.capabilities import QEMU_DEVICES
from harness.hypervisors.definitions import DiskDefinition
from harness.image_store.programs import run_program
from harness.lab.bench import Bench
from harness.lab.identity import Identity
from harness.oracles.control import control
from harness.plugin.collection import Target
from harness.plugin.fixtures import Neighbours
from harness.plugin.markers import cost, feature, requires

SCANNED_MIB = 64
DISK_MIB = 16
MEBIBYTE = 2**20
PATTERN = bytes(range(1, 129))


@feature("isolation.disk")
@cost(60)
def test_writes_stay_on_their_own_disk(
    neighbours: Neighbours, bench: Bench, target: Target
) -> None:
    """A's writes are neither on B's disk nor in the base image; A's own scan finds them."""
    image = bench.image(target.profile)
    mark = f"guestcert-{secrets.token_hex(16)}"

    start = neighbours.first.os.disks.fill_file(mark)

    with control():  # the same scan, of the same place, finds the mark where it was written
        assert _scan(neighbours.first, mark, start), "the scan does not find it on A's own disk"
    assert not _scan(neighbours.second, mark, start), "A's writes are on B's disk"
    assert not neighbours.second.os.disks.has_filled_file()
    assert _digest(image.path) == image.digest, "the base image has changed"


@feature("isolation.disk")
@cost(20)
def test_what_was_written_goes_with_its_disk(guest: Guest, bench: Bench, target: Target) -> None:
    """A guest's data is gone with its disk: the next guest in the machine slot finds none of it."""
    mark = f"guestcert-{secrets.token_hex(16)}"
    start = guest.os.disks.fill_file(mark)
    with control():
        assert _scan(guest, mark, start), "the scan does not find what was just written"

    fresh = bench.slot(target.profile, target.variant, Identity.GUEST_A.role).restore_golden()

    assert not _scan(fresh, mark, start), "a disk made again holds the data of the one before it"


@feature("isolation.disk")
@requires(QEMU_DEVICES)
@cost(60)
def test_a_new_disk_reads_zeros(machine: Guest) -> None:
    """A disk that is deleted and made again reads as zeros; one that was kept has its content."""
    root, *others = machine.definition.disks
    kept, new = (
        DiskDefinition(machine.folder / f"{serial}.qcow2", serial, bus=root.bus)
        for serial in ("GC-KEPT", "GC-NEW")
    )
    for disk in (kept, new):
        _make_full(disk.path)
    new.path.unlink()
    run_program(["qemu-img", "create", "-q", "-f", "qcow2", str(new.path), f"{DISK_MIB}M"])
    machine.redefine(disks=[root, *others, kept, new])

    machine.boot()

    name = {disk.serial: disk.name for disk in machine.os.disks.all()}
    with control():  # the same probe finds the content of a disk that was kept
        assert machine.os.disks.bytes_not_zero(name[kept.serial], DISK_MIB) == DISK_MIB * MEBIBYTE
    assert machine.os.disks.bytes_not_zero(name[new.serial], DISK_MIB) == 0


def _make_full(disk: Path) -> None:
    """Make a disk without a zero byte."""
    raw = disk.with_suffix(".raw")
    raw.write_bytes(PATTERN * (DISK_MIB * MEBIBYTE // len(PATTERN)))
    run_program(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", str(raw), str(disk)])
    raw.unlink()


def _scan(guest: Guest, mark: str, start: int) -> bool:
    """Whether the raw disk contains the mark around sector `start`."""
    first = max(0, start * 512 - SCANNED_MIB // 2 * 1024 * 1024)
    return guest.os.disks.holds(mark, start=first, mebibytes=SCANNED_MIB)


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
