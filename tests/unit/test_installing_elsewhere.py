"""An image is not installed where its disk would stay on another host."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.hypervisors.base import Capability
from harness.hypervisors.definitions import Accelerator
from harness.image_store.recipe import load_recipe
from harness.lab.installing import Installing
from harness.lab.ownership import own
from tests.fakes.hypervisor import FakeHypervisor


def test_it_is_refused_with_what_to_do_instead(tmp_path: Path) -> None:
    elsewhere = FakeHypervisor(
        uri="hyperv://host.example/", capabilities=frozenset({Capability.REMOTE_DISKS})
    )
    installing = Installing(lambda: elsewhere, tmp_path, own("run"), Accelerator.HYPERV)
    recipe = load_recipe("debian-12-installer")
    with pytest.raises(UsageError, match=r"hyperv://host\.example/ would stay there") as caught:
        installing.build(recipe, tmp_path, lambda _: None)
    assert "guestcert images build debian-12-installer" in str(caught.value.remedy)
    assert elsewhere.defined == []
