"""What stands beside Allure's results: the environment, and the kinds of ends."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from harness.reporting.allure import write_allure_extras
from harness.text import LIMIT
from tests.process.inner_pytest import run_cases
from tests.unit.builders import a_run, an_environment
from tests.unit.hostile import ACTING, ESCAPES


def properties_of(folder: Path) -> dict[str, str]:
    """environment.properties, read as Java reads it."""
    text = (folder / "environment.properties").read_text(encoding="ascii")
    found = {}
    for line in re.split(r"\r\n|\r|\n", text.removesuffix("\n")):
        name, _, value = line.partition("=")
        units = re.sub(r"\\u([0-9a-f]{4})|\\(.)", _unescaped, value)
        found[name] = units.encode("utf-16", "surrogatepass").decode("utf-16")
    return found


def _unescaped(match: re.Match[str]) -> str:
    return chr(int(match[1], 16)) if match[1] else match[2]


def test_allure_shows_the_environment(tmp_path: Path) -> None:
    write_allure_extras(
        a_run(environment=an_environment(cpu="Zen 4", firmware=r"C:\new")), tmp_path
    )
    assert properties_of(tmp_path) == {
        "guestcert": "0.1",
        "hypervisor": "QEMU 7.2.0",
        "hypervisor.uri": "qemu:///system",
        "accelerator": "kvm",
        "host.cpu": "Zen 4",
        "host.firmware": r"C:\new",
        "debian-12.image": "sha256:0123",
    }


def test_allure_s_properties_keep_letters_of_all_scripts(tmp_path: Path) -> None:
    write_allure_extras(a_run(environment=an_environment(cpu="Größe 你 🐧")), tmp_path)
    assert properties_of(tmp_path)["host.cpu"] == "Größe 你 🐧"


def test_words_from_elsewhere_add_no_line_to_allure_s_properties(tmp_path: Path) -> None:
    words = "a\nb=1\rc=2\x1b[31mred\x07\x7f " + "x" * 1_000_000
    write_allure_extras(a_run(environment=an_environment(cpu=words)), tmp_path)
    found = properties_of(tmp_path)
    assert not {"b", "c"} & found.keys()
    assert found["host.cpu"].startswith("a b=1␍c=2␛[31mred")
    written = (tmp_path / "environment.properties").read_text(encoding="ascii")
    assert not ACTING.search(written)
    assert len(written) < 2 * LIMIT


@pytest.mark.parametrize(
    ("status", "message", "category"),
    [
        ("failed", "no login", "Promises that guests broke"),
        ("failed", "no login\nat all", "Promises that guests broke"),
        ("broken", "no disk space", "Trouble of the harness or the lab"),
        ("broken", "no disk\nspace", "Trouble of the harness or the lab"),
        ("broken", "Skipped: blocked: boot.ready:\nno login", "Blocked by another failure"),
        ("skipped", "Skipped: not applicable: no TPM", "Not applicable here"),
    ],
)
def test_allure_sorts_each_end_into_one_category(
    tmp_path: Path, status: str, message: str, category: str
) -> None:
    write_allure_extras(a_run(), tmp_path)
    categories = json.loads((tmp_path / "categories.json").read_text(encoding="utf-8"))
    fitting = [
        c["name"]
        for c in categories
        if status in c["matchedStatuses"] and re.fullmatch(c["messageRegex"], message)
    ]
    assert fitting == [category]


# Results of a real run

CASES = f"""
import pytest

from harness.errors import Blocked, NotApplicable


@pytest.fixture
def bench_like(target):
    yield target


@pytest.mark.feature("boot.ready")
@pytest.mark.parametrize("bus", ["ide", "nvme"])
def test_boots(bench_like, bus):
    \"\"\"It boots from every bus.

    Twice.
    \"\"\"


def test_without_title_or_feature(target):
    pass


@pytest.mark.feature("boot.ready")
def test_blocked(target):
    \"\"\"It is blocked.\"\"\"
    raise Blocked("boot.console", "no prompt")


@pytest.mark.feature("boot.ready")
def test_fails(target):
    \"\"\"It fails.\"\"\"
    assert not target, "the guest said " + {ESCAPES!r}


@pytest.fixture
def broken(target):
    raise RuntimeError({ESCAPES!r})


@pytest.mark.feature("boot.ready")
def test_set_up(broken):
    \"\"\"It is not reached.\"\"\"
"""

Result = dict[str, Any]


def results_of(folder: Path, **profile: object) -> dict[tuple[str, str], Result]:
    """What Allure gets of a run of CASES, by name and variant."""
    written = folder / "allure-results"
    done = run_cases(folder, CASES, "--alluredir", str(written), **profile)
    assert done.returncode == 1, done.stdout + done.stderr
    results = [json.loads(file.read_text("utf-8")) for file in written.glob("*-result.json")]
    return {(result["name"], label_of(result, "variant")): result for result in results}


def label_of(result: Result, name: str) -> str:
    return next((one["value"] for one in result["labels"] if one["name"] == name), "")


def parameters_of(result: Result) -> dict[str, str]:
    shown = [one for one in result["parameters"] if one.get("mode") != "hidden"]
    return {one["name"]: one["value"].strip("'") for one in shown}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Result]:
    return results_of(tmp_path_factory.mktemp("allure") / "inner")


def test_allure_s_history_survives_an_edit_of_the_profile(
    results: dict[tuple[str, str], Result], tmp_path: Path
) -> None:
    edited = results_of(tmp_path / "inner", budgets={"ready_seconds": 61, "shutdown_seconds": 31})
    before = {key: result["historyId"] for key, result in results.items()}
    assert before == {key: result["historyId"] for key, result in edited.items()}
    assert len(set(before.values())) == len(before) == 12, "each case on each variant has its own"


def test_allure_names_a_case_by_its_title_and_parameters(
    results: dict[tuple[str, str], Result],
) -> None:
    assert {name for name, _ in results} == {
        "It boots from every bus. [ide]",
        "It boots from every bus. [nvme]",
        "It is blocked.",
        "It fails.",
        "It is not reached.",
        "test_without_title_or_feature[debian-12-bios]",
        "test_without_title_or_feature[debian-12-uefi]",
    }
    nvme = results["It boots from every bus. [nvme]", "uefi"]
    assert parameters_of(nvme) == {"guest": "debian-12", "variant": "uefi", "bus": "nvme"}
    assert nvme["titlePath"] == ["debian-12", "uefi", "boot"]
    longest = max(len(one["value"]) for result in results.values() for one in result["parameters"])
    assert longest < 40


def test_allure_shows_no_blocked_case_as_skipped(
    results: dict[tuple[str, str], Result],
) -> None:
    blocked = results["It is blocked.", "bios"]
    assert blocked["status"] == "broken"
    assert blocked["statusDetails"]["message"] == "Skipped: blocked: boot.console: no prompt"
    assert {
        name: results[name, "uefi"]["status"] for name in ("It fails.", "It is not reached.")
    } == {
        "It fails.": "failed",
        "It is not reached.": "broken",
    }


def test_allure_shows_of_fixtures_what_went_wrong_alone(tmp_path: Path) -> None:
    results_of(tmp_path)
    files = list((tmp_path / "allure-results").glob("*-container.json"))
    containers = [json.loads(file.read_text(encoding="utf-8")) for file in files]
    steps = [step["name"] for one in containers for step in one.get("befores", [])]
    assert steps == ["broken", "broken"]
    assert not any(one.get("afters") for one in containers)
    for file in (tmp_path / "allure-results").glob("*.json"):
        assert not ACTING.search(file.read_text(encoding="utf-8"))
