"""The installer's driver, over machines that say what they are told to and go off."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.hypervisors.base import Key, MachineState
from harness.hypervisors.definitions import (
    DirectBoot,
    DiskDefinition,
    DiskDevice,
    MachineDefinition,
)
from harness.profiles.model import Method
from harness.provisioning.flow import FLOWS, State
from harness.provisioning.installer import Installer
from harness.provisioning.product_keys import product_key, variable
from harness.provisioning.progress import InstallationError
from tests.fakes.talking import Lives
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
    said: Callable[[str], None] = lambda _: None  # noqa: E731
    return Installer(lives.define, FLOWS[method], folder, said)


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
    with pytest.raises(InstallationError, match="went off before"):
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


# --- product keys ---------------------------------------------------------------------------------

XP = a_profile(
    "windows-xp-sp3", provisioning=("winnt-sif",), windows={"kernel": "5.1", "source": "x"}
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
    with pytest.raises(UsageError, match="not set up without a product key") as told:
        product_key(XP)
    assert variable(XP) in str(told.value.remedy)
    assert product_key(a_profile("windows-10")) is None


def test_what_is_no_key_is_refused_and_not_told(
    monkeypatch: pytest.MonkeyPatch, ring: dict[str, str]
) -> None:
    monkeypatch.setenv("GUESTCERT_KEY_WINDOWS_XP_SP3", "secret-word")
    with pytest.raises(UsageError, match="holds no product key") as told:
        product_key(XP)
    assert "secret-word" not in str(told.value)
