"""A run.json of version 1 in the present schema; the kept file holds each kind of outcome."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.errors import BadFileError
from harness.results.comparison import compare
from harness.results.model import SCHEMA, Completion, RunRecord
from harness.results.outcomes import Outcome
from harness.results.store import read_record
from harness.results.upgrade import upgraded

KEPT = Path(__file__).parents[1] / "data" / "run-version-1.json"


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(KEPT.read_text(encoding="utf-8"))
    assert content["schema"] == "guestcert/run/1", "the control: it is an old one"
    return content


@pytest.fixture(scope="module")
def run() -> RunRecord:
    return read_record(KEPT)


def test_it_is_read_as_the_present_schema(run: RunRecord) -> None:
    assert run.schema_ == SCHEMA
    assert json.loads(run.model_dump_json(by_alias=True))["schema"] == SCHEMA


def test_what_both_versions_have_stays(run: RunRecord, document: dict[str, Any]) -> None:
    new = json.loads(run.model_dump_json(by_alias=True))
    for name in ("run", "started", "resumed", "finished", "tier", "selection", "completion"):
        assert new[name] == document[name], name
    for name in ("ledger", "verdicts", "certificates"):
        assert new[name] == document[name], name
    assert len(new["outcomes"]) == len(document["outcomes"])
    for now, before in zip(new["outcomes"], document["outcomes"], strict=True):
        assert now | before == now, before["case"]


def test_a_case_has_the_id_that_it_has_today(run: RunRecord) -> None:
    ids = [outcome.id for outcome in run.outcomes if outcome.feature]
    assert ids[0] == "boot.ready/boots_to_ready"
    assert run.outcomes[1].name == "boot.disk_bus/boots_from_it[virtio-scsi]"
    assert len(set(ids)) == len(ids)


def test_a_known_issue_s_address_and_a_lost_worker_become_fields(run: RunRecord) -> None:
    issues = {outcome.outcome: outcome.issue for outcome in run.outcomes if outcome.issue}
    assert issues == {Outcome.KNOWN_ISSUE: "https://bugs.example.org/7"}
    lost = [outcome for outcome in run.outcomes if outcome.worker_lost]
    assert [outcome.case for outcome in lost] == ["suites/boot/test_vcpus.py::test_brings_up"]


def test_the_host_s_facts_are_typed(run: RunRecord, document: dict[str, Any]) -> None:
    assert run.environment.host.facts() == document["environment"]["host"]


def test_a_fact_of_a_host_that_is_not_known_any_more_is_left_out(
    document: dict[str, Any],
) -> None:
    host = {"kernel": "6.1", "colour": "blue"}
    old = document | {"environment": document["environment"] | {"host": host}}
    run = RunRecord.model_validate(upgraded(old))
    assert run.environment.host.facts() == {"kernel": "6.1"}


@pytest.mark.parametrize(
    ("stated", "selection", "completion"),
    [
        ("-k 'ready'; interrupted (KeyboardInterrupt)", "-k 'ready'", Completion.INTERRUPTED),
        ("interrupted (Exit)", "", Completion.INTERRUPTED),
        ("-k 'interrupted (x)'", "-k 'interrupted (x)'", Completion.COMPLETE),
        ("", "", Completion.COMPLETE),
    ],
)
def test_an_interruption_that_the_selection_states_becomes_a_field(
    document: dict[str, Any], stated: str, selection: str, completion: Completion
) -> None:
    old = document | {"selection": stated}
    del old["completion"]
    run = RunRecord.model_validate(upgraded(old))
    assert (run.selection, run.completion) == (selection, completion)


def test_a_run_of_today_is_compared_with_an_old_one(run: RunRecord) -> None:
    moved = tuple(
        outcome.model_copy(update={"case": outcome.case.replace("suites/boot", "suites/moved")})
        for outcome in run.outcomes
    )
    comparison = compare(run, run.model_copy(update={"run": "later", "outcomes": moved}))
    assert comparison.cases == (), "a case whose file moved is another one"
    assert comparison.unchanged


@pytest.mark.parametrize("broken", [[], {"schema": "guestcert/run/1"}, {"schema": 7}])
def test_what_is_no_record_at_all_is_refused(tmp_path: Path, broken: object) -> None:
    file = tmp_path / "run.json"
    file.write_text(json.dumps(broken), encoding="utf-8")
    with pytest.raises(BadFileError):
        read_record(file)
