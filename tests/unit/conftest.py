"""What several unit tests share."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from harness.hypervisors.hyperv.address import PASSWORD as VARIABLE
from harness.hypervisors.hyperv.connection import HypervHypervisor
from tests.fakes.hyperv_host.host import hyperv_host
from tests.fakes.hyperv_host.model import HostModel
from tests.fakes.powershell_remoting.server import PASSWORD
from tests.unit.builders import a_feature

# A busy host generates its examples slowly; that is not a failure.
settings.register_profile("guestcert", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("guestcert")

# A job that was started in the background begins with Ctrl-C ignored, and so would what it starts:
# then nothing that is to be interrupted by it ends.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for profiles, beside a catalogue of three features and one recipe."""
    features = tuple(a_feature(f) for f in ("boot.ready", "boot.pause", "integration.exec"))
    recipes = tmp_path / "images"
    recipes.mkdir()
    (recipes / "debian-12.yaml").write_text("id: debian-12\n", encoding="utf-8")
    monkeypatch.setattr("harness.profiles.cross_checks.load_catalogue", lambda: features)
    monkeypatch.setattr("harness.profiles.cross_checks.recipes_folder", lambda: recipes)
    profiles = tmp_path / "guest_profiles"
    profiles.mkdir()
    return profiles


@pytest.fixture
def host() -> HostModel:
    """What stands behind the scripted Hyper-V host, for a test to arrange and to look at."""
    return HostModel()


@pytest.fixture
def hypervisor(
    host: HostModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[HypervHypervisor]:
    """The driver, connected to the scripted host."""
    monkeypatch.setenv(VARIABLE, PASSWORD)
    with hyperv_host(tmp_path, host) as (_, _, uri):
        hypervisor = HypervHypervisor(uri)
        yield hypervisor
        hypervisor.close()
