"""What stands beside Allure's results: the environment, and the kinds of ends."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from harness.reporting.allure import write_allure_extras
from harness.text import LIMIT
from tests.unit.builders import a_run, an_environment

ACTING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""Characters that act on whoever reads the file."""


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
    write_allure_extras(a_run(environment=an_environment(cpu="Zen 4", path=r"C:\new")), tmp_path)
    assert properties_of(tmp_path) == {
        "guestcert": "0.1",
        "hypervisor": "QEMU 7.2.0",
        "hypervisor.uri": "qemu:///system",
        "accelerator": "kvm",
        "host.cpu": "Zen 4",
        "host.path": r"C:\new",
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
        ("broken", "no disk space", "Trouble of the harness or the lab: tells nothing of a guest"),
        ("skipped", "Skipped: blocked: boot.ready:\nno login", "Blocked by another failure"),
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
