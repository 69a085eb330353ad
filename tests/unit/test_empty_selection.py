"""A selection that leaves no case is wrong usage, and what is near is named."""

from __future__ import annotations

import subprocess
import sys

import pytest

from harness.lab.run_choices import RunChoices
from harness.plugin.empty_selection import Collected, nothing_selected
from harness.profiles.places import project_root

COLLECTED = Collected(
    here=[
        frozenset({"test_heartbeat.py", "test_is_lost_when_the_guest_hangs[debian-12-bios]"}),
        frozenset({"test_heartbeat.py", "test_the_host_sees_a_living_guest[debian-12-bios]"}),
        frozenset({"test_ready.py", "test_boots_to_ready_within_its_budget[debian-12-bios]"}),
    ],
    higher_tier=[frozenset({"test_migration.py", "test_moves_to_another_host[debian-12-bios]"})],
    marks=frozenset({"read_only", "feature"}),
)


@pytest.mark.parametrize(
    ("choices", "sentence", "remedy"),
    [
        ({"keyword": "heartbeta"}, "no case matches -k 'heartbeta'", "heartbeat (2 cases)"),
        ({"keyword": "Raedy"}, "no case matches -k 'Raedy'", "ready (1 case)"),
        ({"keyword": "guest and not (redy)"}, "no case", "ready (1 case)"),
        ({"keyword": "migration"}, "no case", "--tier full, to which the cases of migration"),
        ({"keyword": "ready and heartbeat"}, "no case", "--collect-only"),
        ({"keyword": "zzzzzz"}, "no case", "--collect-only"),
        ({"markers": "readonly"}, "no case has the marks of -m 'readonly'", "read_only"),
        ({"markers": "zzzzzz"}, "no case", "one of feature, read_only"),
        ({}, "belongs to a higher tier than standard", "--tier full"),
    ],
    ids=str,
)
def test_what_is_near_is_named(choices: dict[str, str], sentence: str, remedy: str) -> None:
    refused = nothing_selected(
        RunChoices.model_validate({"guests": ["debian-12"], **choices}), COLLECTED
    )
    assert sentence in refused.sentence
    assert refused.remedy is not None
    assert remedy in refused.remedy


def test_pytest_itself_refuses_it_too() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "suites", "--collect-only", "-q", "-k", "heartbeta"],
        cwd=project_root(),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "no case matches -k 'heartbeta'" in done.stderr
    assert "Try: heartbeat (" in done.stderr
