"""The seed medium of cloud-init: its location and its content."""

from __future__ import annotations

import dataclasses
import io
import json
import re
import subprocess
from pathlib import Path

import pytest
from pycdlib.pycdlib import PyCdlib
from pycdlib.pycdlibexception import PyCdlibInvalidInput
from ruamel.yaml import YAML

from harness.errors import UsageError
from harness.image_store.iso import describe_iso
from harness.image_store.recipe import CloudImageRecipe, load_recipe
from harness.profiles.loader import load_profiles
from harness.profiles.model import AgentPolicy, AgentSetup, Seed
from harness.provisioning.passwords import hash_password
from harness.provisioning.seed import SeedContent, write_seed
from tests.unit.test_answer_files import AWKWARD

HASH = re.compile(r"\$6\$[./A-Za-z0-9]+\$[./A-Za-z0-9]{86}")


GUESTS = {Seed.NOCLOUD: "debian-12", Seed.CONFIG_DRIVE: "debian-10"}


def content(kind: Seed) -> SeedContent:
    (profile,) = [one for one in load_profiles() if one.id == GUESTS[kind]]
    assert profile.seed is kind
    return SeedContent(profile, "0a1b", "guest-1", "tester", hash_password(AWKWARD))


def read(seed: Path, name: str) -> str:
    iso = PyCdlib()
    iso.open(str(seed))
    found = io.BytesIO()
    iso.get_file_from_iso_fp(found, rr_path=f"/{name}")
    iso.close()
    return found.getvalue().decode()


@pytest.mark.parametrize(
    ("kind", "label", "user_data"),
    [
        (Seed.NOCLOUD, "cidata", "user-data"),
        (Seed.CONFIG_DRIVE, "config-2", "openstack/latest/user_data"),
    ],
)
def test_the_user_is_made_with_the_password(
    tmp_path: Path, kind: Seed, label: str, user_data: str
) -> None:
    (tmp_path / "seed.iso").write_text("an older seed, readable by everybody")
    seed = write_seed(content(kind), tmp_path / "seed.iso")
    assert describe_iso(seed).words["volume-id"] == label
    assert seed.stat().st_mode & 0o077 == 0
    text = read(seed, user_data)
    assert text.startswith("#cloud-config\n")
    document = YAML(typ="safe").load(text)
    assert document["hostname"] == "guest-1"
    (user,) = document["users"]
    assert user["name"] == "tester"
    assert HASH.fullmatch(user["hashed_passwd"])
    assert user["passwd"] == user["hashed_passwd"], "an old cloud-init knows `passwd` alone"
    assert user["lock_passwd"] is False


def test_nocloud_has_its_name_and_no_network(tmp_path: Path) -> None:
    """A name of the NIC would be a guess, which only netplan takes for a pattern."""
    seed = write_seed(content(Seed.NOCLOUD), tmp_path / "seed.iso")
    named = json.loads(read(seed, "meta-data"))
    assert named == {"instance-id": "0a1b", "local-hostname": "guest-1"}
    with pytest.raises(PyCdlibInvalidInput, match="Could not find path"):
        read(seed, "network-config")


def test_a_config_drive_has_what_openstack_gives(tmp_path: Path) -> None:
    seed = write_seed(content(Seed.CONFIG_DRIVE), tmp_path / "seed.iso")
    named = json.loads(read(seed, "openstack/latest/meta_data.json"))
    assert named == {"uuid": "0a1b", "hostname": "guest-1"}


def test_what_is_made_for_openstack_gets_a_config_drive() -> None:
    made = {
        profile.id
        for profile in load_profiles()
        if profile.recipe
        and isinstance(recipe := load_recipe(profile.recipe), CloudImageRecipe)
        and "openstack" in recipe.image.lower()
    }
    assert made
    given = {profile.id for profile in load_profiles() if profile.seed is Seed.CONFIG_DRIVE}
    assert made == given


def first_boot_commands(content: SeedContent, folder: Path) -> list[str | list[str]]:
    """What cloud-init runs at the end of the first boot."""
    text = read(write_seed(content, folder / "seed.iso"), "user-data")
    commands: list[str | list[str]] = YAML(typ="safe").load(text)["runcmd"]
    return commands


def test_systemd_is_told_to_be_patient(tmp_path: Path) -> None:
    patient = dataclasses.replace(content(Seed.NOCLOUD), unit_timeout=720)
    command, _ = first_boot_commands(patient, tmp_path)
    assert isinstance(command, str)
    written = tmp_path / "etc"
    subprocess.run(["sh", "-c", command.replace("/etc", str(written))], check=True)
    assert (written / "systemd/system.conf.d/guestcert.conf").read_text() == (
        "[Manager]\nDefaultDeviceTimeoutSec=720\nDefaultTimeoutStartSec=720\n"
    )


def test_systemd_is_left_as_it_is_where_nothing_is_said(tmp_path: Path) -> None:
    commands = first_boot_commands(content(Seed.NOCLOUD), tmp_path)
    assert commands == [["touch", "/etc/cloud/cloud-init.disabled"]]


SYSCONFIG = """\
# BLACKLIST_RPC=guest-exec  an example
BLACKLIST_RPC=guest-file-open,guest-exec
FILTER_RPC_ARGS="--allow-rpcs=guest-ping,guest-info"
FSFREEZE_HOOK_PATHNAME=/etc/qemu-ga/fsfreeze-hook
"""


def test_the_first_boot_lifts_the_agent_s_policy_where_the_profile_says_so(tmp_path: Path) -> None:
    made = content(Seed.NOCLOUD)
    opened = AgentSetup(policy=AgentPolicy.RESTRICTED, open=True)
    profile = made.profile.model_copy(update={"agent": opened})
    command, _ = first_boot_commands(dataclasses.replace(made, profile=profile), tmp_path)
    assert isinstance(command, str)
    sed, restart = command.strip().splitlines()
    assert restart == "systemctl restart qemu-guest-agent"
    file = tmp_path / "qemu-ga"
    file.write_text(SYSCONFIG, encoding="utf-8")
    subprocess.run(["sh", "-c", sed.replace("/etc/sysconfig/qemu-ga", str(file))], check=True)
    assert file.read_text() == (
        "# BLACKLIST_RPC=guest-exec  an example\nBLACKLIST_RPC=\nFILTER_RPC_ARGS=\n"
        "FSFREEZE_HOOK_PATHNAME=/etc/qemu-ga/fsfreeze-hook\n"
    )


def test_an_agent_that_is_not_restricted_needs_no_opening() -> None:
    with pytest.raises(ValueError, match="open is for an agent whose policy is restricted"):
        AgentSetup(open=True)


@pytest.fixture
def overrides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "answers"
    folder.mkdir()
    for module in ("rendering", "seed"):
        monkeypatch.setattr(f"harness.provisioning.{module}.overrides_folder", lambda: folder)
    return folder


EXTENDED = """{% extends "guestcert/cloud-config.j2" %}
{% block user %}
    ssh_authorized_keys: [ssh-ed25519 AAAA me]
{% endblock %}
{% block more %}
packages: [qemu-guest-agent]
{% endblock %}
{% block runcmd %}
  - [systemctl, start, qemu-guest-agent]
{% endblock %}
"""


def test_a_template_of_ones_own_extends_the_cloud_config(overrides: Path, tmp_path: Path) -> None:
    (overrides / "cloud-config.j2").write_text(EXTENDED)
    plain = read(
        write_seed(content(Seed.CONFIG_DRIVE), tmp_path / "1"), "openstack/latest/user_data"
    )
    document = YAML(typ="safe").load(plain)
    assert document["users"][0]["ssh_authorized_keys"] == ["ssh-ed25519 AAAA me"]
    assert document["packages"] == ["qemu-guest-agent"]
    assert [words[0] for words in document["runcmd"]] == ["systemctl", "touch"]


@pytest.mark.parametrize(
    "value",
    ["hello 🐧", "Größe 你", "two\nlines\ttab", "a\x85b\u2028c\u2029d\x7fe\ufefff", '\\u0041 "'],
)
def test_a_value_in_a_template_of_ones_own_is_read_as_it_was(
    overrides: Path, tmp_path: Path, value: str
) -> None:
    (overrides / "cloud-config.j2").write_text(f"#cloud-config\nfqdn: {{{{ {value!r} }}}}\n")
    seed = read(write_seed(content(Seed.NOCLOUD), tmp_path / "1"), "user-data")
    assert YAML(typ="safe").load(seed)["fqdn"] == value
    assert json.loads(seed.partition("fqdn: ")[2]) == value


def test_a_value_that_no_encoding_has_is_refused(overrides: Path, tmp_path: Path) -> None:
    (overrides / "cloud-config.j2").write_text('#cloud-config\nfqdn: {{ "\\ud83d" }}\n')
    with pytest.raises(UsageError, match="YAML or JSON document cannot hold"):
        write_seed(content(Seed.NOCLOUD), tmp_path / "1")


def test_a_template_for_one_guest_is_no_other_guests(overrides: Path, tmp_path: Path) -> None:
    (overrides / "debian-12").mkdir()
    (overrides / "debian-12" / "cloud-config.j2").write_text("#cloud-config\nhostname: mine\n")
    seed = write_seed(content(Seed.NOCLOUD), tmp_path / "1")
    assert read(seed, "user-data") == "#cloud-config\nhostname: mine\n"
    other = write_seed(content(Seed.CONFIG_DRIVE), tmp_path / "2")
    assert "hostname: mine" not in read(other, "openstack/latest/user_data")


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        ("#cloud-config\nusers: [\n", "in line 3"),
        ("#cloud-config\n- a list\n", "must start with `#cloud-config` and be a mapping"),
        ("hostname: x\n", "must start with `#cloud-config` and be a mapping"),
        ("#cloud-config\nhostname: {{ answers.nmae }}\n", "cannot be rendered"),
        ("{% block x %}", "cannot be rendered"),
        ("#cloud-config\n{{ cycler.__init__.__globals__.os.popen('id').read() }}", "is unsafe"),
        ("#cloud-config\n{{ answers.__class__.__mro__ }}", "is unsafe"),
    ],
)
def test_a_template_that_gives_no_cloud_config_is_told(
    overrides: Path, tmp_path: Path, template: str, problem: str
) -> None:
    (overrides / "cloud-config.j2").write_text(template)
    with pytest.raises(UsageError, match=re.escape(problem)) as caught:
        write_seed(content(Seed.NOCLOUD), tmp_path / "1")
    assert str(overrides) in str(caught.value.remedy)
