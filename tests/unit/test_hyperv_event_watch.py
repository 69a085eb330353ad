"""From what a Hyper-V host reports to events of machines."""

from __future__ import annotations

import pytest

from harness.hypervisors.hyperv.event_watch import History, MachineEvent


def logged(*events: int, machine: str = "m") -> list[dict[str, object]]:
    return [{"machine": machine, "event": event} for event in events]


def words(happened: list[MachineEvent]) -> list[str]:
    return [f"{kind} {detail}".strip() for _, kind, detail in happened]


@pytest.fixture
def history() -> History:
    history = History()
    list(history.take(["m=Off"], []))
    return history


def test_a_start_is_told_once_by_whichever_word_comes_first(history: History) -> None:
    assert words(list(history.take(["m=Running"], []))) == ["started"]
    assert words(list(history.take(["m=Running"], logged(18500)))) == []


def test_what_went_too_fast_for_a_state_is_in_the_log(history: History) -> None:
    seen = list(history.take(["m=Off"], logged(18500, 18502)))
    assert words(seen) == ["started", "stopped destroyed"]


@pytest.mark.parametrize(
    ("event", "reported"),
    [
        (18502, ["stopped destroyed"]),
        (18504, ["shutdown", "stopped shutdown"]),
        (18508, ["shutdown", "stopped shutdown"]),
    ],
)
def test_the_log_tells_why_a_machine_stopped(
    history: History, event: int, reported: list[str]
) -> None:
    list(history.take(["m=Running"], []))
    assert words(list(history.take(["m=Off"], []))) == []
    assert words(list(history.take(["m=Off"], logged(event)))) == reported


def test_saving_is_the_stop_that_the_harness_asked_for(history: History) -> None:
    list(history.take(["m=Running"], []))
    history.saving.add("m")
    assert words(list(history.take(["m=Saved"], []))) == ["stopped saved"]
    assert words(list(history.take(["m=Off"], []))) == []


def test_pause_and_resume(history: History) -> None:
    assert words(list(history.take(["m=Paused"], []))) == ["started", "paused"]
    assert words(list(history.take(["m=Running"], []))) == ["resumed"]


def test_resets_and_crashes(history: History) -> None:
    list(history.take(["m=Running"], []))
    assert words(list(history.take(["m=Running"], logged(18512, 18514, 18560, 18590)))) == [
        "reboot",
        "reboot",
        "crashed triple fault",
        "crashed the guest reported a fatal error",
    ]


def test_a_running_machine_that_vanished_was_destroyed(history: History) -> None:
    list(history.take(["m=Running"], []))
    assert words(list(history.take([], []))) == ["stopped destroyed"]
    assert words(list(history.take([], []))) == []


def test_machines_are_told_apart(history: History) -> None:
    seen = list(history.take(["m=Off", "n=Running"], logged(18512, machine="n")))
    assert {name for name, _, _ in seen} == {"n"}
