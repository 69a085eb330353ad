"""The command that a failure's report names to run its case again."""

from __future__ import annotations

import shlex
from pathlib import Path

from harness.features.tiers import Tier
from harness.plugin.collection import Target
from harness.plugin.worker import rerun_command
from harness.profiles.hardware import Firmware
from tests.unit.builders import a_context, a_profile

NODE = "suites/boot/test_devices_named.py::test_disk[debian-12-uefi-nvme]"
TARGET = Target(a_profile(), Firmware.UEFI)


def test_it_asks_for_what_the_run_asked_for(tmp_path: Path) -> None:
    image, uri = Path("/builds/my image.qcow2"), "qemu+ssh://host/system?a=b&c"
    context = a_context(tmp_path, tier=Tier.FULL, image=image, hypervisor=uri)
    assert shlex.split(rerun_command(NODE, TARGET, context)) == [
        *("pytest", NODE, "--guest", "debian-12", "--variant", "uefi"),
        *("--tier", "full", "--image", str(image), "--hypervisor", uri),
    ]


def test_it_is_short_where_nothing_was_asked_for(tmp_path: Path) -> None:
    context = a_context(tmp_path, tier=Tier.STANDARD, hypervisor=None)
    assert rerun_command(NODE, TARGET, context) == (
        f"pytest '{NODE}' --guest debian-12 --variant uefi"
    )
    assert "--recipe debian-13" in rerun_command(
        NODE, TARGET, a_context(tmp_path, recipe="debian-13")
    )
