"""Packaged installers: taken from inside of the package, and from nowhere else of this host."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import HarnessError
from harness.image_store import network_boot
from harness.image_store.network_boot import fetch_installer
from harness.image_store.recipe import NetworkBoot

WANTED = NetworkBoot(
    suite="bookworm", package="netboot", kernel="usr/lib/linux", initrd="usr/lib/initrd.gz"
)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the files of a package, unpacked as mmdebstrap would."""
    folder = tmp_path / "installer" / "usr" / "lib"

    (folder / "amd64").mkdir(parents=True)
    (folder / "amd64" / "linux").write_bytes(b"kernel")
    (folder / "initrd.gz").write_bytes(b"initrd")
    monkeypatch.setattr(network_boot, "run_program", lambda *_, **__: None)
    return folder


def test_a_link_inside_of_the_package_is_followed(package: Path, tmp_path: Path) -> None:
    (package / "linux").symlink_to("amd64/linux")
    kernel, initrd = fetch_installer(WANTED, tmp_path, print)
    assert (kernel.read_bytes(), initrd.read_bytes()) == (b"kernel", b"initrd")


def test_a_link_to_a_file_of_this_host_is_not(package: Path, tmp_path: Path) -> None:
    (package / "linux").symlink_to("/etc/passwd")
    with pytest.raises(HarnessError, match="netboot lacks usr/lib/linux"):
        fetch_installer(WANTED, tmp_path, print)
