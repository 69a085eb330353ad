"""Fixtures: a worker's bench over the fake hypervisor, and a target on it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.hypervisors.capabilities import RUN
from harness.hypervisors.definitions import Accelerator
from harness.lab.bench import Bench
from harness.lab.workspace import Workspace
from harness.plugin.collection import Target
from harness.profiles.hardware import Firmware
from tests.fakes.hypervisor import FakeHypervisor, willing_agent
from tests.unit.builders import a_context, a_profile


@pytest.fixture
def fake() -> FakeHypervisor:
    """A hypervisor whose guests start and answer."""
    made = FakeHypervisor(agent=willing_agent)
    made.capabilities |= {RUN}
    return made


@pytest.fixture
def bench(tmp_path: Path, fake: FakeHypervisor) -> Iterator[Bench]:
    """Replaces the plugin's bench."""
    image = tmp_path / "own.qcow2"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", image, "64M"], check=True)
    context = a_context(tmp_path, hypervisor="fake:///", accelerator=Accelerator.KVM, image=image)
    Workspace(context.store, context.owner).create()
    made = Bench(context, "gw0")
    made.hypervisor = fake
    yield made
    made.close()


@pytest.fixture
def target() -> Target:
    """Replaces the plugin's target."""
    quick = {"ready_seconds": 1, "shutdown_seconds": 1}
    return Target(a_profile("fedora-41", budgets=quick), Firmware.BIOS)
