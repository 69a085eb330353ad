"""The installer's driver, over machines that print a script and power off."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.hypervisors.base import MachineState
from harness.hypervisors.definitions import (
    DirectBoot,
    DiskDefinition,
    DiskDevice,
    MachineDefinition,
)
from harness.hypervisors.facets.display import Key
from harness.profiles.model import Method
from harness.provisioning.flow import FLOWS, State
from harness.provisioning.installation_progress import InstallationError
from harness.provisioning.installer import (
    MAX_SCREENS,
    SCREEN_SECONDS,
    Installer,
    read_screen,
)
from harness.provisioning.product_keys import product_key, variable
from harness.waiting import JumpingClock
from tests.fakes.talking import Lives, MovingMachine, StillMachine, TalkingMachine
from tests.machines import a_machine
from tests.unit.builders import a_profile

TOKEN = "f00d"
INSTALLS = (
    "Starting system log daemon\r\nInstalling the base system\r\nguestcert: stage installed\r\n"
)
BOOTS = f"guestcert: stage first-boot\r\nguestcert: ready {TOKEN}\r\n"


@pytest.fixture
def definition(tmp_path: Path) -> MachineDefinition:
    disk = DiskDefinition(tmp_path / "disk.qcow2", "ROOT", boot_order=1)
    cd = DiskDefinition(tmp_path / "cd.iso", "CD", device=DiskDevice.CDROM, boot_order=2)
    boot = DirectBoot(tmp_path / "linux", tmp_path / "initrd", "")
    return a_machine(disks=(disk, cd), direct_boot=boot)


def installer(lives: Lives, folder: Path, method: Method = Method.PRESEED) -> Installer:
    output: Callable[[str], None] = lambda _: None  # noqa: E731
    return Installer(lives.define, FLOWS[method], folder, output)


def test_the_installed_disk_is_booted_without_media(
    definition: MachineDefinition, tmp_path: Path
) -> None:
    lives = Lives([INSTALLS, BOOTS])
    installer(lives, tmp_path / "evidence").run(definition, TOKEN)
    first, second = (machine.definition for machine in lives.made)
    assert first == definition
    assert second.direct_boot is None
    assert [disk.serial for disk in second.disks] == ["ROOT"]
    console = (tmp_path / "evidence" / "console.log").read_text()
    assert "stage installed" in console
    assert TOKEN in console


def test_a_failure_comes_with_its_evidence(definition: MachineDefinition, tmp_path: Path) -> None:
    lives = Lives(["Starting system log daemon\r\nNo disk drive was detected\r\n"], stays=True)
    with pytest.raises(InstallationError, match="no disk was found") as failure:
        installer(lives, tmp_path / "evidence").run(definition, TOKEN)
    assert failure.value.state is State.INSTALLER
    assert failure.value.evidence == tmp_path / "evidence" / "console.log"
    assert (tmp_path / "evidence" / "machine.xml").read_text().startswith("<fake")
    assert lives.made[0].state() is MachineState.OFF


def test_power_off_alone_is_no_success(definition: MachineDefinition, tmp_path: Path) -> None:
    with pytest.raises(InstallationError, match="powered off before"):
        installer(Lives([INSTALLS, ""]), tmp_path / "evidence").run(definition, TOKEN)


@pytest.mark.parametrize("keys", [True, False])
def test_keys_are_pressed_only_where_a_medium_wants_them(
    definition: MachineDefinition, tmp_path: Path, keys: bool
) -> None:
    waits = Lives(["nothing yet"], stays=True)

    def stop(_: str) -> None:
        raise KeyboardInterrupt

    stopped = Installer(waits.define, FLOWS[Method.AUTOUNATTEND], tmp_path / "two", stop)
    with pytest.raises(KeyboardInterrupt):
        stopped.run(definition, TOKEN, keys=keys)
    assert waits.made[0].keys == ([Key.SPACE] if keys else [])
    assert waits.made[0].state() is MachineState.OFF


# --- the screen -----------------------------------------------------------------------------------


def failed_by_its_deadline(
    definition: MachineDefinition, folder: Path, kind: type[TalkingMachine]
) -> InstallationError:
    """The result of an installation that shows a screen and prints nothing."""
    lives = Lives([""], stays=True, kind=kind)
    flow = FLOWS[Method.AUTOUNATTEND]
    with pytest.raises(InstallationError, match="waited") as failure:
        Installer(lives.define, flow, folder, lambda _: None, JumpingClock()).run(definition, TOKEN)
    return failure.value


def test_a_picture_is_kept_where_the_screen_changed(
    definition: MachineDefinition, tmp_path: Path
) -> None:
    failure = failed_by_its_deadline(definition, tmp_path, StillMachine)
    (picture,) = tmp_path.glob("screen-*.png")
    assert picture.name == "screen-000000s.png"
    assert picture.read_bytes() == b"a still picture"
    assert failure.evidence == picture
    assert str(tmp_path / "console.log") in failure.sentence


def test_pictures_tell_their_time_and_the_newest_stay(
    definition: MachineDefinition, tmp_path: Path
) -> None:
    failure = failed_by_its_deadline(definition, tmp_path, MovingMachine)
    names = sorted(file.name for file in tmp_path.glob("screen-*.png"))
    assert len(names) == MAX_SCREENS
    taken = [int(name.removeprefix("screen-").removesuffix("s.png")) for name in names]
    *regular, last = taken  # the last one was taken when it failed
    apart = {later - earlier for earlier, later in pairwise(regular)}
    assert apart == {SCREEN_SECONDS}
    state_seconds = FLOWS[Method.AUTOUNATTEND].stages[0].seconds
    assert last >= state_seconds * definition.accelerator.time_scale
    assert failure.evidence == tmp_path / names[-1]


def test_what_stands_on_the_screen_is_read_where_that_is_possible(
    definition: MachineDefinition, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program of that name stands in for the real one, which may not be installed."""
    program = tmp_path / "bin" / "tesseract"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho 'Windows could not find any drives'\n", encoding="utf-8")
    program.chmod(0o755)
    lives = Lives([""], stays=True, kind=StillMachine)
    flow = FLOWS[Method.AUTOUNATTEND]
    seen = Installer(lives.define, flow, tmp_path / "seen", lambda _: None, JumpingClock())
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    with pytest.raises(InstallationError, match="no disk was found, since a driver is missing"):
        seen.run(definition, TOKEN)


def test_without_a_reader_the_screen_tells_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert read_screen(tmp_path / "screen.png") == ""


# --- product keys ---------------------------------------------------------------------------------

XP = a_profile(
    "windows-xp-sp3",
    provisioning=("winnt-sif",),
    windows={"kernel": "5.1", "builds": {"first": 2600, "last": 2600}, "source": "x"},
)
KEY = "ABCDE-FGHIJ-KLMNO-PQRST-UVWXY"


@pytest.fixture
def ring(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    kept: dict[str, str] = {}
    monkeypatch.setattr(
        "harness.provisioning.product_keys.keyring.get_password",
        lambda service, name: kept.get(f"{service}/{name}"),
    )
    return kept


def test_a_key_comes_from_the_environment_or_the_keyring(
    monkeypatch: pytest.MonkeyPatch, ring: dict[str, str]
) -> None:
    ring["guestcert/windows-xp-sp3"] = KEY.lower()
    assert product_key(XP) == KEY
    monkeypatch.setenv("GUESTCERT_KEY_WINDOWS_XP_SP3", KEY.replace("A", "Z"))
    assert product_key(XP) == KEY.replace("A", "Z")


def test_a_missing_key_is_told_only_where_there_must_be_one(ring: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="needs a product key") as error:
        product_key(XP)
    assert variable(XP) in str(error.value.remedy)
    assert product_key(a_profile("windows-10")) is None


def test_what_is_no_key_is_refused_and_not_told(
    monkeypatch: pytest.MonkeyPatch, ring: dict[str, str]
) -> None:
    monkeypatch.setenv("GUESTCERT_KEY_WINDOWS_XP_SP3", "secret-word")
    with pytest.raises(UsageError, match="holds no product key") as error:
        product_key(XP)
    assert "secret-word" not in str(error.value)
