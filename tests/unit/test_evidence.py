"""What is kept of a guest whose case failed."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import Mock

import png
import pytest

from harness.channels.base import CommandResult
from harness.errors import ChannelError, GuestCrashed, HypervisorError
from harness.guests import evidence
from harness.guests.evidence import LIMIT, EvidenceCollector
from harness.hypervisors.facets.display import DISPLAY
from harness.hypervisors.facets.processors import PROCESSORS
from harness.time_accounting import TimeLedger


@pytest.fixture
def guest(tmp_path: Path) -> Mock:
    """A silent guest, on a machine that reports everything about itself."""
    console_log = tmp_path / "console.log"
    console_log.write_bytes(b"starting Boot0001\n")
    guest = Mock(console_log=console_log, ledger=TimeLedger())
    guest.name = "guest"
    guest.agent.answers.return_value = False
    guest.direct = None
    guest.machine.description.return_value = "<domain/>"
    guest.machine.hypervisor_log.return_value = "started"
    facets = {PROCESSORS: Mock(), DISPLAY: Mock()}
    facets[PROCESSORS].state.return_value = "RIP=fff0 HLT=1 RAX=swordfish"
    guest.machine.facets = {PROCESSORS}
    guest.machine.facet = facets.__getitem__
    return guest


def evidence_of(guest: Mock, folder: Path, since: int = 0) -> dict[str, str]:
    """The text of each file, by its name without the guest's."""
    collector = EvidenceCollector(("swordfish",))
    files = collector.collect(guest, folder, console_since=since)
    return {file.name.removeprefix("guest-"): file.read_text() for file in files}


def test_of_a_silent_guest_the_processors_are_shown(guest: Mock, tmp_path: Path) -> None:
    kept = evidence_of(guest, tmp_path / "evidence")
    assert kept["console.log"] == "starting Boot0001\n"
    assert kept["processors.txt"] == "RIP=fff0 HLT=1 RAX=[redacted]"


def test_of_a_machine_that_is_off_all_else_is_kept(guest: Mock, tmp_path: Path) -> None:
    guest.machine.facet(PROCESSORS).state.side_effect = HypervisorError("the domain is not running")
    kept = evidence_of(guest, tmp_path / "evidence")
    assert kept["processors.txt"] == "could not be read: the domain is not running"
    assert kept["hypervisor.log"] == "started"


@pytest.mark.parametrize(
    ("description", "file"),
    [("<domain/>", "machine.xml"), ('{"Name": "vm"}', "machine.json"), ("", "machine.txt")],
)
def test_a_description_is_named_by_its_content(
    guest: Mock, tmp_path: Path, description: str, file: str
) -> None:
    guest.machine.description.return_value = description
    kept = evidence_of(guest, tmp_path)
    assert kept[file] == description
    assert len([name for name in kept if name.startswith("machine.")]) == 1


def answering(log: bytes) -> Mock:
    channel = Mock()
    channel.answers.return_value = True
    channel.run.return_value = CommandResult((), 0, log, b"")
    return channel


@pytest.mark.parametrize("serving", ["agent", "direct"])
def test_the_guest_s_own_log_comes_by_whichever_channel_answers(
    guest: Mock, tmp_path: Path, serving: str
) -> None:
    guest.budget.return_value.seconds = 10.0
    setattr(guest, serving, answering(b"one   \ntwo swordfish\t\n"))
    assert evidence_of(guest, tmp_path)["guest.log"] == "one\ntwo [redacted]"


def test_a_log_that_no_channel_brings_is_missed_in_a_sentence(guest: Mock, tmp_path: Path) -> None:
    guest.direct = Mock()
    guest.direct.answers.return_value = False
    assert "no channel into the guest answers" in evidence_of(guest, tmp_path)["guest.log"]


@pytest.mark.parametrize("part", [" ", "x \n", "\n"], ids=["blanks", "lines", "ends"])
def test_a_hostile_log_is_cut_before_it_is_looked_at(
    guest: Mock, tmp_path: Path, part: str
) -> None:
    guest.agent = answering(part.encode() * 5_000_000)
    assert len(evidence_of(guest, tmp_path)["guest.log"]) <= LIMIT


def test_no_pattern_runs_over_a_guest_s_log() -> None:
    source = Path(evidence.__file__).read_text(encoding="utf-8")
    assert "import re" not in source


@pytest.mark.parametrize(
    "error",
    [
        ChannelError("no answer"),
        GuestCrashed("panic"),
        ValueError("invalid literal"),
        png.ProtocolError("bad"),
        OSError("gone"),
        RecursionError(),
    ],
)
def test_whatever_is_broken_the_rest_is_kept(guest: Mock, tmp_path: Path, error: Exception) -> None:
    guest.machine.facets = {PROCESSORS, DISPLAY}
    guest.machine.description.side_effect = error
    guest.machine.hypervisor_log.side_effect = error
    guest.machine.facet(PROCESSORS).state.side_effect = error
    guest.machine.facet(DISPLAY).screenshot.side_effect = error
    guest.agent.answers.side_effect = error
    collector = EvidenceCollector(())
    files = collector.collect(guest, tmp_path / "evidence", console_since=0)
    kept = {file.name.removeprefix("guest-"): file.read_text() for file in files}
    assert kept.pop("console.log") == "starting Boot0001\n"
    assert set(kept) == {"machine.txt", "hypervisor.log", "guest.log", "processors.txt"}
    assert all(text.startswith("could not be read") for text in kept.values())


def test_a_folder_that_cannot_be_written_is_no_error(guest: Mock, tmp_path: Path) -> None:
    (tmp_path / "evidence").write_text("a file is in the way")
    guest.machine.facets = {PROCESSORS, DISPLAY}
    collector = EvidenceCollector(())
    assert collector.collect(guest, tmp_path / "evidence", console_since=0) == []


def test_of_a_long_console_the_newest_is_read(guest: Mock, tmp_path: Path) -> None:
    with guest.console_log.open("ab") as log:
        log.write(b"x" * 5 * LIMIT + b"the end")
    kept = evidence_of(guest, tmp_path / "evidence")["console.log"]
    assert len(kept) == LIMIT
    assert kept.endswith("the end")
    assert evidence_of(guest, tmp_path, since=6 * LIMIT)["console.log"].endswith("the end")
