"""`guestcert certify` checks all that was asked for before anything is started."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from unittest.mock import Mock

import pytest
from typer.testing import CliRunner

from harness.cli import app
from harness.cli.arguments import Arguments, split_arguments
from harness.errors import BadFileError, UsageError
from harness.hypervisors.connection import DEFAULT_URI
from harness.profiles.loader import usable_profiles
from harness.profiles.selection import select
from harness.results.store import RunDirectory
from tests.unit.builders import PROFILE_YAML, edited

DISK = bytes(510) + b"\x55\xaa"


@pytest.fixture
def pytest_calls(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[list[str]]:
    """The arguments that pytest was started with; no hypervisor is connected to."""
    calls: list[list[str]] = []

    def run_pytest(arguments: Sequence[str], directory: RunDirectory, _: str | None) -> int:
        assert directory.path.is_dir()
        calls.append(list(arguments))
        return 0

    monkeypatch.setenv("GUESTCERT_HOME", str(tmp_path / "store"))
    monkeypatch.delenv(DEFAULT_URI, raising=False)
    monkeypatch.setattr("harness.cli.certify.run_pytest", run_pytest)
    monkeypatch.setattr("harness.cli.certify.check_selection", Mock())
    monkeypatch.setattr("harness.cli.certify.open_hypervisor", Mock())
    return calls


@pytest.fixture
def image(tmp_path: Path) -> Path:
    file = tmp_path / "disk.img"
    file.write_bytes(DISK)
    return file


def certify(tmp_path: Path, *arguments: str) -> str:
    """Run the command; returns what it printed. Raises what it raised."""
    result = CliRunner().invoke(app, ["certify", f"--reports={tmp_path}/reports", *arguments])
    if isinstance(result.exception, UsageError):
        assert not (tmp_path / "reports").exists(), "a folder was made for nothing"
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def test_choices_become_pytest_s_arguments(pytest_calls: list[list[str]], tmp_path: Path) -> None:
    certify(
        tmp_path, "debian-12", "--tier", "SMOKE", "--variant", "UEFI", "--suite", "boot",
        "-k", "ready or reset", "-m", "not read_only", "-x", "-n", "1", "--", "--lf",
    )  # fmt: skip
    ((*arguments, run, reports, own),) = pytest_calls
    assert arguments == [
        "suites/boot", "--guest=debian-12", "--variant=uefi", "--tier=smoke", "--numprocesses=1",
        "-kready or reset", "-mnot read_only", "-x",
    ]  # fmt: skip
    assert run.startswith("--run-id=")
    assert reports == f"--reports={tmp_path}/reports"
    assert own == "--lf"


@pytest.mark.parametrize(
    ("arguments", "sentence", "remedy"),
    [
        (["--pdb"], "has no option --pdb", "guestcert certify -- --pdb"),
        (["--guest", "debian-12"], "has no option --guest", "guestcert certify debian-12"),
        (["--teir", "smoke"], "has no option --teir", "--tier"),
        (["-v"], "has no option -v", "guestcert certify -- -v"),
        (["--json"], "has no option --json", "run.json"),
        (["--tier", "fast"], "there is no tier 'fast'", "smoke, standard, full"),
        (["--accelerator", "kmv"], "there is no accelerator 'kmv'", "kvm"),
        (["--variant", "EFI"], "there is no variant 'EFI'", "uefi"),
        (["--suite", "bot"], "there is no suite 'bot'", "boot"),
        (["suites/boot/test_powr.py"], "no file or folder", "suites/boot/test_power.py"),
        (["harness/cli/certify.py"], "no file or folder", "ls suites/*"),
        (["debian-7"], "no installation medium of debian-7", "--image FILE"),
    ],
    ids=str,
)
def test_what_is_wrong_is_refused_before_anything_starts(
    pytest_calls: list[list[str]],
    tmp_path: Path,
    arguments: list[str],
    sentence: str,
    remedy: str,
) -> None:
    with pytest.raises(UsageError) as refused:
        certify(tmp_path, *arguments)
    assert sentence in refused.value.sentence
    assert remedy in str(refused.value.remedy)
    assert pytest_calls == []


def test_a_variant_that_the_guest_lacks_is_refused_with_those_that_it_has(
    pytest_calls: list[list[str]], tmp_path: Path, image: Path
) -> None:
    with pytest.raises(UsageError, match="windows-7 has no variant secure-boot, only bios"):
        certify(tmp_path, "windows-7", "--image", str(image), "--variant", "secure-boot")
    assert pytest_calls == []


def test_a_guest_that_is_unavailable_may_be_skipped(
    pytest_calls: list[list[str]], tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="debian-7"):
        certify(tmp_path, "debian-7", "debian-12")
    printed = certify(tmp_path, "debian-7", "debian-12", "--skip-unavailable")
    assert "skipped debian-7: there is no installation medium of debian-7" in printed
    ((_, guest, *_),) = pytest_calls
    assert guest == "--guest=debian-12"
    with pytest.raises(UsageError, match="debian-7"):
        certify(tmp_path / "alone", "debian-7", "--skip-unavailable")


def test_the_environment_s_address_is_the_default(
    pytest_calls: list[list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(DEFAULT_URI, "qemu:///session")
    certify(tmp_path)
    certify(tmp_path, "--hypervisor", "qemu:///system")
    addresses = [[a for a in call if a.startswith("--hypervisor")] for call in pytest_calls]
    assert addresses == [["--hypervisor=qemu:///session"], ["--hypervisor=qemu:///system"]]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], Arguments()),
        (["debian-12", "debian-*"], Arguments(("debian-12", "debian-*"))),
        (["name=\"a/b\""], Arguments(("name=\"a/b\"",))),
        (["suites/boot", "debian-12"], Arguments(("debian-12",), ("suites/boot",))),
        (["test_power.py"], Arguments((), ("test_power.py",))),
        (["debian-12", "-p", "a/b", "c"], Arguments(("debian-12",), (), ("-p", "a/b", "c"))),
    ],
)  # fmt: skip
def test_words_are_guests_files_or_pytest_s(arguments: list[str], words: Arguments) -> None:
    assert split_arguments(arguments) == words


def test_a_broken_profile_stops_only_those_that_need_it(folder: Path) -> None:
    (folder / "debian-12.yaml").write_text(PROFILE_YAML, "utf-8")
    other = edited(PROFILE_YAML, "id: debian-12\n", "id: my-own\n")
    (folder / "a-file.yaml").write_text(edited(other, "release:", "relaese:"), "utf-8")
    (folder / "torn.yaml").write_text("id: [", "utf-8")
    usable = usable_profiles(folder)
    assert [profile.id for profile in usable.profiles] == ["debian-12"]
    assert len(usable.problems) >= 2
    chosen = select(usable.profiles, ["debian-*"], broken=usable.broken)
    assert [profile.id for profile in chosen] == ["debian-12"]
    for meant in ("my-own", "my-*", "torn", "*"):
        with pytest.raises(BadFileError):
            select(usable.profiles, ["debian-12", meant], broken=usable.broken)


def test_without_a_sound_profile_the_first_problem_is_raised(folder: Path) -> None:
    (folder / "torn.yaml").write_text("id: [", "utf-8")
    with pytest.raises(BadFileError, match="torn"):
        usable_profiles(folder)
