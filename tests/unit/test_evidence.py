"""What is kept of a guest whose case failed."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import Mock

import pytest

from harness.errors import HypervisorError
from harness.guests.evidence import EvidenceCollector
from harness.ledger import Ledger


@pytest.fixture
def guest(tmp_path: Path) -> Mock:
    """A guest that is silent, on a machine that tells all of itself."""
    console_log = tmp_path / "console.log"
    console_log.write_bytes(b"starting Boot0001\n")
    guest = Mock(console_log=console_log, ledger=Ledger())
    guest.name = "guest"
    guest.agent.answers.return_value = False
    guest.machine.description.return_value = "<domain/>"
    guest.machine.hypervisor_log.return_value = "started"
    guest.machine.processors.return_value = "RIP=fff0 HLT=1 RAX=swordfish"
    return guest


def evidence_of(guest: Mock, folder: Path) -> dict[str, str]:
    """The text of each file, by its name without the guest's."""
    collector = EvidenceCollector(("swordfish",), frozenset())
    files = collector.collect(guest, folder, console_since=0)
    return {file.name.removeprefix("guest-"): file.read_text() for file in files}


def test_of_a_silent_guest_the_processors_are_shown(guest: Mock, tmp_path: Path) -> None:
    kept = evidence_of(guest, tmp_path / "evidence")
    assert kept["console.log"] == "starting Boot0001\n"
    assert kept["processors.txt"] == "RIP=fff0 HLT=1 RAX=[redacted]"


def test_of_a_machine_that_is_off_all_else_is_kept(guest: Mock, tmp_path: Path) -> None:
    guest.machine.processors.side_effect = HypervisorError("the domain is not running")
    kept = evidence_of(guest, tmp_path / "evidence")
    assert kept["processors.txt"] == "could not be read: the domain is not running"
    assert kept["hypervisor.log"] == "started"
