"""Which cases an absent foundation blocks, by the catalogue."""

from __future__ import annotations

from unittest.mock import Mock

import pytest

from harness.errors import Blocked
from harness.hypervisors.base import MachineState
from harness.integration.prerequisites import require_foundations
from harness.plugin import fixtures
from harness.plugin.actors import GUESTS


def guest(*, answers: bool, state: MachineState = MachineState.RUNNING) -> Mock:
    """A guest on a hypervisor without services of its own, whose agent answers or not."""
    machine = Mock(spec=["state", "facets"], facets=frozenset())
    machine.state.return_value = state
    made = Mock(machine=machine, crash_expected=True)
    made.agent.answers.return_value = answers
    return made


@pytest.mark.parametrize("feature", ["integration.exec", "boot.suspend_ram"])
def test_a_case_is_blocked_by_the_feature_that_its_own_builds_on(feature: str) -> None:
    with pytest.raises(Blocked, match="heartbeat is lost") as caught:
        require_foundations(guest(answers=False), feature)
    assert caught.value.feature == "integration.heartbeat"


@pytest.mark.parametrize("feature", ["integration.heartbeat", "boot.clean_log", "boot.ready", ""])
def test_a_case_that_can_tell_something_is_not_blocked(feature: str) -> None:
    silent = guest(answers=False)
    require_foundations(silent, feature)
    assert not silent.agent.answers.called


def test_a_guest_that_has_it_is_handed_out() -> None:
    living = guest(answers=True)
    require_foundations(living, "integration.exec")
    assert living.agent.answers.called


def lending(feature: str) -> Mock:
    """The request of a case of this feature."""
    request = Mock()
    request.node.stash = {}
    request.node.get_closest_marker.return_value.args = (feature,)
    return request


def test_guests_are_looked_at_before_the_case_and_are_there_for_its_evidence() -> None:
    silent, request = guest(answers=False), lending("integration.exec")
    with pytest.raises(Blocked):
        next(fixtures._lend(request, silent))
    assert request.node.stash[GUESTS] == [silent]


def test_a_machine_that_is_off_is_not_looked_at() -> None:
    off = guest(answers=False, state=MachineState.OFF)
    assert next(fixtures._lend(lending("integration.exec"), off)) is off
    assert not off.agent.answers.called
