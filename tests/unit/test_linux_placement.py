"""A file's place on a Linux guest's disk, through each kind of file system and device."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from harness.channels.base import CommandResult
from harness.errors import ChannelError, NotApplicable
from harness.guests.linux.system import LinuxOs
from harness.guests.os.disks import CHUNKS, FIRST_EXTENT, LAYER, ROOT, ROOT_DISK

CHUNK_TREE = """\
btrfs-progs v6.2
chunk tree
leaf 22036480 items 3 free space 15841 generation 9 owner CHUNK_TREE
\titem 0 key (DEV_ITEMS DEV_ITEM 1) itemoff 16185 itemsize 98
\t\tdevid 1 total_bytes 4223664128 bytes_used 1224736768
\titem 1 key (FIRST_CHUNK_TREE CHUNK_ITEM 13631488) itemoff 16105 itemsize 80
\t\tlength 8388608 owner 2 stripe_len 65536 type DATA|single
\t\tio_align 65536 io_width 65536 sector_size 4096
\t\tnum_stripes 1 sub_stripes 1
\t\t\tstripe 0 devid 1 offset 13631488
\t\t\tdev_uuid a22b2ac8-4fc7-4ef9-8cb2-4a5e4d0e4d3c
\titem 2 key (FIRST_CHUNK_TREE CHUNK_ITEM 298844160) itemoff 15993 itemsize 80
\t\tlength 1073741824 owner 2 stripe_len 65536 type DATA|single
\t\tio_align 65536 io_width 65536 sector_size 4096
\t\tnum_stripes 1 sub_stripes 1
\t\t\tstripe 0 devid 1 offset 567279616
\t\t\tdev_uuid a22b2ac8-4fc7-4ef9-8cb2-4a5e4d0e4d3c
"""
"""As btrfs-progs 6.2 prints it."""


def guest(root: str, extent: int, layers: dict[str, str], chunks: str = CHUNK_TREE) -> LinuxOs:
    """A guest with such a root file system, and what each device is."""

    def run(arguments: Sequence[str], *, stdin: bytes = b"", seconds: float = 30) -> CommandResult:
        _, _, script, _, *given = arguments
        answers = {ROOT: root, FIRST_EXTENT: f"{extent}..", CHUNKS: chunks}
        text = layers[given[0]] if script == LAYER else answers[script]
        return CommandResult(tuple(arguments), 0, f"{text}\n".encode(), b"")

    return LinuxOs(run)


PARTITION = {"/dev/vda3": "partition 135168", "/dev/block/254:3": "partition 135168"}


@pytest.mark.parametrize("kind", ["ext3", "ext4", "xfs"])
def test_a_partition_begins_somewhere_on_its_disk(kind: str) -> None:
    assert guest(f"{kind}|/dev/vda3", 1000, PARTITION).disks.first_sector("/x") == 136168


def test_a_disk_without_partitions_begins_at_its_first_sector() -> None:
    assert guest("ext4|/dev/vda", 1000, {"/dev/vda": "disk"}).disks.first_sector("/x") == 1000


def test_a_logical_volume_is_followed_into_its_second_piece() -> None:
    table = "0 5000 linear 254:9 7\n5000 8000 linear 254:3 2048"
    linux = guest("ext4|/dev/mapper/system-root", 6000, PARTITION | {LVM: table})
    assert linux.disks.first_sector("/x") == 6000 - 5000 + 2048 + 135168


LVM = "/dev/mapper/system-root"


def test_btrfs_counts_in_addresses_of_its_own() -> None:
    linux = guest("btrfs|/dev/vda3", 298844160 // 512 + 16, PARTITION)
    assert linux.disks.first_sector("/x") == 567279616 // 512 + 16 + 135168


def test_an_address_in_no_chunk_is_a_channel_error() -> None:
    with pytest.raises(ChannelError, match="no chunk"):
        guest("btrfs|/dev/vda3", 1, PARTITION).disks.first_sector("/x")


@pytest.mark.parametrize(
    ("root", "layer", "reason"),
    [
        ("zfs|rpool/root", "disk", "is unknown for 'zfs'"),
        (f"ext4|{LVM}", "0 9000 crypt aes-xts-plain64 :64:logon:x 0 254:3 32768", "'crypt' device"),
        ("ext4|/dev/md0", "composed", "made of others"),
    ],
)
def test_where_nothing_keeps_a_plain_place_the_case_does_not_apply(
    root: str, layer: str, reason: str
) -> None:
    with pytest.raises(NotApplicable, match=reason):
        guest(root, 1000, {root.partition("|")[2]: layer}).disks.first_sector("/x")


def test_striped_btrfs_has_no_plain_place() -> None:
    striped = CHUNK_TREE.replace("DATA|single", "DATA|RAID0")
    with pytest.raises(NotApplicable, match="RAID0"):
        guest("btrfs|/dev/vda3", 13631488 // 512, PARTITION, striped).disks.first_sector("/x")


def test_devices_that_lead_in_a_circle_are_a_channel_error() -> None:
    circle = {LVM: "0 9000 linear 254:0 0", "/dev/block/254:0": "0 9000 linear 254:0 0"}
    with pytest.raises(ChannelError, match="more than 8 layers"):
        guest(f"ext4|{LVM}", 10, circle).disks.first_sector("/x")


@pytest.mark.parametrize(
    ("source", "disk"),
    [
        ("/dev/vda3", "vda"),
        ("/dev/vda3[/@rootfs]", "vda"),
        ("/dev/vdb", "vdb"),
        ("/dev/dm-0", "vda"),
    ],
)
def test_the_root_disk_is_found_beneath_what_is_on_it(
    tmp_path: Path, source: str, disk: str
) -> None:
    """The script itself, over a sysfs of the test's own."""
    blocks = tmp_path / "sys/class/block"
    devices = tmp_path / "sys/devices/block"
    for path in ("vda/vda3", "vdb", "dm-0/slaves/vda3", "vda/slaves", "vdb/slaves"):
        (devices / path).mkdir(parents=True, exist_ok=True)
    (devices / "vda/vda3/partition").write_text("3\n")
    blocks.mkdir(parents=True)
    for path in ("vda", "vda/vda3", "vdb", "dm-0"):
        (blocks / Path(path).name).symlink_to(devices / path)
    script = f"findmnt() {{ echo '{source}'; }}\n" + ROOT_DISK.replace("/sys/", f"{tmp_path}/sys/")

    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == disk
