"""What a guest's kernel or its profile never promised is not applicable, and no failure."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from harness.channels.base import CommandResult
from harness.errors import ChannelError, NotApplicable
from harness.guests.linux.system import LinuxOs
from harness.plugin.applicability import require_tpm_use
from harness.profiles.loader import load_profiles
from tests.unit.test_linux import saying

PROFILES = {profile.id: profile for profile in load_profiles()}


@pytest.mark.parametrize(
    ("release", "version", "kept"),
    [
        ("6.1.0-18-amd64\n", (3, 17), True),
        ("3.17.0\n", (3, 17), True),
        ("3.9.11\n", (3, 17), False),
        ("3.10.0-1160.el7.x86_64\n", (3, 9), True),
        ("2.6.32-754.el6.x86_64\n", (3, 9), False),
        ("10.0\n", (6, 1), True),
    ],
)
def test_an_old_kernel_is_held_to_no_later_promise(
    release: str, version: tuple[int, int], kept: bool
) -> None:
    guest = saying(release)
    if kept:
        guest.require_kernel(version, "does it")
        assert release[0].isdecimal()
    else:
        with pytest.raises(NotApplicable, match=r"Linux does it since 3\.\d+, and this is [23]\."):
            guest.require_kernel(version, "does it")


def test_a_kernel_without_a_release_is_an_error() -> None:
    with pytest.raises(ChannelError, match="no valid release"):
        saying("9" * 5000).require_kernel((3, 9), "does it")


def test_a_kernel_without_numa_or_hibernation_promised_neither() -> None:
    with pytest.raises(NotApplicable, match="built without NUMA"):
        saying("none\n").cpus.numa_nodes()
    disk = "vdb|GC-SWAP|2048|virtio_blk"
    with pytest.raises(NotApplicable, match="does not hibernate"):
        saying("freeze mem\n", disk).hibernation.prepare("GC-SWAP")


def on_this_host(folder: Path) -> LinuxOs:
    """A guest whose files are below a folder of this host, where its scripts are run."""

    def run(arguments: Sequence[str], *, stdin: bytes = b"", seconds: float = 30) -> CommandResult:
        own = [part.replace("/sys/", f"{folder}/sys/") for part in arguments]
        ended = subprocess.run(own, capture_output=True, timeout=seconds, check=False)
        return CommandResult(tuple(own), ended.returncode, ended.stdout, ended.stderr)

    return LinuxOs(run)


@pytest.mark.parametrize(
    ("files", "version"),
    [
        ({}, 0),
        ({"tpm_version_major": "2\n"}, 2),
        ({"caps": "TCG version: 1.2\n"}, 1),
        ({"device/caps": "TCG version: 1.2\n"}, 1),
        ({"dev": "10:224\n"}, 2),  # before 5.6 a TPM 2.0 lists nothing of itself
    ],
)
def test_a_tpm_is_found_by_kernels_that_do_not_list_its_version(
    tmp_path: Path, files: dict[str, str], version: int
) -> None:
    for name, text in files.items():
        file = tmp_path / "sys/class/tpm/tpm0" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="ascii")
    assert on_this_host(tmp_path).tpm.version() == version


def test_a_guest_that_has_no_use_for_a_tpm_is_not_judged_by_it() -> None:
    with pytest.raises(NotApplicable, match=r"freebsd-14\.1 states that FreeBSD 14\.1"):
        require_tpm_use(PROFILES["freebsd-14.1"])
    require_tpm_use(PROFILES["debian-12"])
    assert PROFILES["debian-12"].hardware.tpm == "optional"
