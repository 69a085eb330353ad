"""`guestcert certify` end to end on a scripted Hyper-V host, which executes no guest."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from harness.hypervisors.hyperv.address import PASSWORD as VARIABLE
from harness.profiles.places import project_root
from tests.fakes.hyperv_host.host import hyperv_host
from tests.fakes.hyperv_host.model import HostModel
from tests.fakes.powershell_remoting.server import PASSWORD

GUEST = "debian-12"
FEATURE = "integration.host_services"


@dataclass(frozen=True)
class Certified:
    """What one certification left."""

    status: int
    output: str
    directory: Path
    host: HostModel

    @property
    def run(self) -> dict[str, Any]:
        """The record of the run."""
        document: dict[str, Any] = json.loads((self.directory / "run.json").read_text("utf-8"))
        return document

    def outcomes(self, *kinds: str) -> list[dict[str, Any]]:
        """Those of some kinds."""
        return [outcome for outcome in self.run["outcomes"] if outcome["outcome"] in kinds]


def run(folder: Path, *arguments: str, guest: str = GUEST) -> Certified:
    """Run pytest's front as a user would, against a host of this process."""
    image = folder / "disk.img"
    boot_sector = bytes(510) + b"\x55\xaa"
    image.write_bytes(boot_sector.ljust(4 * 1024 * 1024, b"\0"))
    environment = os.environ | {VARIABLE: PASSWORD, "GUESTCERT_HOME": str(folder / "store")}
    with hyperv_host(folder) as (host, _, uri):
        command = [sys.executable, "-c", "from harness.cli import main; main()", "certify", guest]
        command += ["--hypervisor", uri, "--image", str(image), "-n", "0"]
        done = subprocess.run(
            [*command, "--reports", str(folder / "reports"), *arguments],
            cwd=project_root(),
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
    (directory,) = [path for path in (folder / "reports").iterdir() if not path.is_symlink()]
    return Certified(done.returncode, done.stdout + done.stderr, directory, host)


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Certified]:
    yield run(tmp_path_factory.mktemp("whole"))


def test_it_says_that_nothing_can_be_said_of_the_guest(certified: Certified) -> None:
    assert certified.status == 3, certified.output
    sentence = "executes no guest code, so no case inside a guest could run there"
    assert sentence in certified.output
    (certificate,) = certified.run["certificates"]
    assert certificate["status"] == "incomplete"
    assert sentence in certificate["reasons"][0]
    assert sentence in (certified.directory / "site" / "index.html").read_text("utf-8")


def test_the_certificate_names_the_image_and_the_profile(certified: Certified) -> None:
    (certificate,) = certified.run["certificates"]
    facts = certified.run["environment"]["guests"][GUEST]
    assert re.fullmatch("[0-9a-f]{64}", certificate["image"])
    assert facts["image"] == certificate["image"]
    assert facts["image_name"].startswith("own-")
    assert re.fullmatch("[0-9a-f]{64}", facts["profile"])
    written = json.loads((certified.directory / f"certificate-{GUEST}.json").read_text("utf-8"))
    assert written["image"] == certificate["image"]


def test_the_host_side_passed_on_both_generations_and_all_else_could_not_run(
    certified: Certified,
) -> None:
    assert certified.outcomes("failed", "broken", "blocked") == []
    passed = certified.outcomes("passed")
    assert {outcome["feature"] for outcome in passed} == {FEATURE}
    assert {outcome["variant"] for outcome in passed} == {"generation-1", "generation-2"}
    assert len(passed) == 16
    others = certified.outcomes("not_applicable")
    assert len(others) > 60
    assert all("executes no guest code" in o["reason"] for o in others), {
        o["reason"] for o in others
    }


def test_every_feature_has_a_verdict_on_each_generation(certified: Certified) -> None:
    verdicts = certified.run["verdicts"]
    assert {verdict["variant"] for verdict in verdicts} == {"generation-1", "generation-2"}
    host_side = [v["verdict"] for v in verdicts if v["feature"] == FEATURE]
    assert host_side == ["observed-working"] * 2
    assert {v["hypervisor"] for v in verdicts} == {certified.run["environment"]["hypervisor_uri"]}


def test_the_machines_were_those_that_the_profile_asks_for(certified: Certified) -> None:
    by_generation = {machine.generation: machine for machine in certified.host.made}
    assert set(by_generation) == {1, 2}
    assert by_generation[2].secure_boot == ("Off", "")
    for machine in by_generation.values():
        assert len(machine.disks) == 2, "the root disk, and the seed that provisions it"
        assert machine.startup_mib == 1024
        assert machine.name.startswith("guestcert-")
        assert machine.serial
        assert [nic.network.startswith("guestcert-") for nic in machine.nics] == [True]


def test_nothing_of_the_run_is_left_on_the_host_but_what_later_runs_use(
    certified: Certified,
) -> None:
    host = certified.host
    assert host.machines == {}
    assert list(host.switches) == ["Default Switch"]
    assert all("\\images\\" in path for path in host.files)


def test_the_environment_names_the_host_and_holds_no_secret(certified: Certified) -> None:
    environment = certified.run["environment"]
    assert environment["hypervisor"] == "Hyper-V"
    assert environment["hypervisor_version"] == "10.0.20348"
    assert environment["accelerator"] == "hyperv"
    for file in certified.directory.rglob("*"):
        if file.is_file():
            assert PASSWORD.encode() not in file.read_bytes(), file
    assert PASSWORD not in certified.output


def test_one_generation_alone(tmp_path: Path) -> None:
    part = run(tmp_path, "--variant", "generation-1", "--", "-k", "switches_each_service")
    assert [outcome["variant"] for outcome in part.outcomes("passed")] == ["generation-1"]
    assert part.status == 0, part.output


@pytest.mark.parametrize(
    ("guest", "template"),
    [
        ("oracle-linux-9", "MicrosoftUEFICertificateAuthority"),
        ("windows-server-2022", "MicrosoftWindows"),
    ],
)
def test_generation_2_enforces_the_signatures_that_the_profile_names(
    tmp_path: Path, guest: str, template: str
) -> None:
    part = run(tmp_path, "--variant", "generation-2", "--", "-k", "keeps_the_pairs", guest=guest)
    assert [machine.secure_boot for machine in part.host.made] == [("On", template)]
    assert [outcome["outcome"] for outcome in part.run["outcomes"]] == ["passed"]


def test_planted_defects_of_the_host_are_caught(tmp_path: Path) -> None:
    planted = run(
        tmp_path, "--suite", "integration", "--variant", "generation-2",
        "--", "-p", "tests.defects.planting", "-k", "test_host_services",
    )  # fmt: skip
    assert planted.status == 1
    assert len(planted.outcomes("failed")) == 8, planted.output
    assert planted.outcomes("passed", "broken") == []
