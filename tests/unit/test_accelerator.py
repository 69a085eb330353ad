"""Which accelerator a run has: Hyper-V has its own, and QEMU's are not its."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.hypervisors.accelerator import choose_accelerator
from harness.hypervisors.definitions import Accelerator


def test_hyperv_executes_its_guests_by_itself(tmp_path: Path) -> None:
    choice = choose_accelerator(None, tmp_path, "hyperv://host.example/")
    assert choice.accelerator is Accelerator.HYPERV
    assert choice.accelerator.time_scale == 1.0
    assert list(tmp_path.iterdir()) == [], "nothing was tried here"


@pytest.mark.parametrize(
    ("wanted", "uri"),
    [(Accelerator.TCG, "hyperv://host.example/"), (Accelerator.HYPERV, "qemu:///system")],
)
def test_another_hypervisors_accelerator_is_refused(
    tmp_path: Path, wanted: Accelerator, uri: str
) -> None:
    with pytest.raises(UsageError, match=f"has no accelerator {wanted}"):
        choose_accelerator(wanted, tmp_path, uri)


def test_what_is_asked_for_is_taken(tmp_path: Path) -> None:
    assert choose_accelerator(Accelerator.TCG, tmp_path).reason == "as requested"
