"""Runs cases of a test's own under the hooks of a worker, in a pytest of their own.

The worker's bench is a stand-in: such a case asks for a `target` and for no guest.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from harness.profiles.places import project_root

CONFTEST = """
from pathlib import Path
from unittest.mock import MagicMock

import pytest

from harness.plugin.collection import Target
from harness.plugin.worker import Worker
from harness.profiles.hardware import Firmware
from tests.unit.builders import a_context, a_profile

PROFILE = a_profile("debian-12", **{profile!r})


def pytest_configure(config):
    for name in ("feature", "cost", "read_only", "variants", "requires"):
        config.addinivalue_line("markers", name)
    bench = MagicMock()
    bench.uri = "qemu:///system"
    bench.is_connected = False
    bench.guests_present.return_value = []
    bench.ledger.take.return_value = {{}}
    bench.collector.redact = lambda text: text
    bench.context = a_context(Path({folder!r}), reports=Path({folder!r}))
    config.pluginmanager.register(Worker(bench), "guestcert-worker")


def pytest_generate_tests(metafunc):
    if "target" in metafunc.fixturenames:
        targets = [Target(PROFILE, variant) for variant in (Firmware.BIOS, Firmware.UEFI)]
        metafunc.parametrize("target", targets, ids=str, scope="session")
"""


def run_cases(
    folder: Path, cases: str, *options: str, **profile: object
) -> subprocess.CompletedProcess[str]:
    """Run the module `cases` in `folder`, on debian-12 with these fields of its profile."""
    folder.mkdir(exist_ok=True)
    text = CONFTEST.format(profile=profile, folder=str(folder))
    (folder / "conftest.py").write_text(text, encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    module = folder / "suites" / "boot" / "test_inner.py"
    module.parent.mkdir(parents=True, exist_ok=True)
    module.write_text(cases, encoding="utf-8")
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options, str(module)],
        cwd=folder,
        env={"PYTHONPATH": str(project_root()), "PATH": "/usr/bin:/bin", "COLUMNS": "120"},
        text=True,
        encoding="utf-8",
        errors="surrogateescape",
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=120,
    )
