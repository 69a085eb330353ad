"""Answer files: every profile's render, its format's own reader takes them, and values survive."""

from __future__ import annotations

import base64
import configparser
import json
import os
import re
import shlex
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from defusedxml.ElementTree import fromstring
from pykickstart.parser import KickstartParser
from pykickstart.version import makeVersion
from ruamel.yaml import YAML

from harness.errors import HarnessError, UsageError
from harness.profiles.hardware import Firmware
from harness.profiles.loader import load_profiles
from harness.profiles.model import Method, Profile
from harness.provisioning.answer_files import METHODS, AnswerSet, Location, answer_set
from harness.provisioning.answers import Answers, Mirror, new_password
from harness.provisioning.certificate import make_certificate

SCHEMA = Path(__file__).resolve().parents[1] / "data" / "ubuntu-autoinstall-schema.json"
TOKEN = "0123456789abcdef"
AWKWARD = "\"quoted\" 'single' <a>&amp; $HOME `id` %PATH% 100% back\\slash; # ü ß é |^!"
AWKWARD_NAME = "Ünï <b>&\"'$(id)` %n: one,\ntwo"
UNATTEND = "{urn:schemas-microsoft-com:unattend}"

CASES = [
    pytest.param(profile, method, id=f"{profile.id}-{method}")
    for profile in load_profiles()
    for method in profile.provisioning
    if method in METHODS
]

CERTIFICATE = make_certificate("guest-1")


def answers_for(profile: Profile, **changes: Any) -> Answers:
    given: dict[str, Any] = {
        "profile": profile,
        "firmware": profile.variants[0],
        "host_name": "guest-1",
        "token": TOKEN,
        "password": new_password(),
        "mirror": Mirror("http://mirror.test/debian", "http://10.0.0.1:3142"),
        "product_key": "AAAAA-BBBBB-CCCCC-DDDDD-EEEEE" if winnt(profile) else None,
        "certificate": CERTIFICATE if profile.windows else None,
    }
    return Answers(**(given | changes))


def winnt(profile: Profile) -> bool:
    return Method.WINNT_SIF in profile.provisioning


@cache
def profile_of(identifier: str) -> Profile:
    return next(profile for profile in load_profiles() if profile.id == identifier)


def content_of(answers: AnswerSet, path: str) -> str:
    (file,) = (file for file in answers.files if file.path == path)
    return file.content.decode("cp1252" if path == "winnt.sif" else "utf-8")


# --- each format's own reader --------------------------------------------------------------------


def read_preseed(text: str) -> dict[str, str]:
    """What debconf takes from it: by question, its value."""
    done = subprocess.run(
        ["debconf-set-selections", "--checkonly"],
        input=text.encode(),
        capture_output=True,
        check=False,
        # A database of its own: the host's may be locked by whoever installs something.
        env=os.environ | {"DEBCONF_DB_REPLACE": "Pipe"},
    )
    assert (done.returncode, done.stderr) == (0, b""), done.stderr
    joined = text.replace("\\\n", "")
    lines = [line.split(maxsplit=3) for line in joined.splitlines() if line[:1] not in ("", "#")]
    kinds = {"string", "boolean", "select", "multiselect", "password", "note"}
    assert {line[2] for line in lines} <= kinds
    return {line[1]: line[3] if len(line) > 3 else "" for line in lines}


def read_kickstart(text: str, profile: Profile) -> KickstartParser:
    major = re.findall(r"\d+", profile.release)[0]
    version = f"F{major}" if profile.family == "fedora" else f"RHEL{major}"
    parser = KickstartParser(makeVersion(version), errorsAreFatal=True)
    parser.readKickstartFromString(text)
    return parser


def read_ini(text: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None, strict=True)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(text)
    return parser


def unquoted(value: str) -> str:
    """A value of an INF file as Setup understands it."""
    assert value[0] == value[-1] == '"', value
    return value[1:-1].replace('""', '"').replace("%%", "%")


def check(answers: AnswerSet, profile: Profile, method: Method) -> None:
    """Raise where a reader of the method's format takes offence."""
    if method is Method.PRESEED:
        assert read_preseed(content_of(answers, "preseed.cfg"))["passwd/username"] == profile.login
    elif method is Method.KICKSTART:
        read_kickstart(content_of(answers, "ks.cfg"), profile)
    elif method is Method.AUTOINSTALL:
        document = YAML(typ="safe").load(content_of(answers, "user-data"))
        assert content_of(answers, "user-data").startswith("#cloud-config\n")
        jsonschema.validate(document["autoinstall"], json.loads(SCHEMA.read_text()))
    elif method is Method.AGAMA:
        json.loads(content_of(answers, "autoinst.json"))
    elif method is Method.AUTOYAST:
        fromstring(content_of(answers, "autoinst.xml"))
    elif method is Method.AUTOUNATTEND:
        fromstring(content_of(answers, "Autounattend.xml"))
    elif method is Method.WINNT_SIF:
        read_ini(content_of(answers, "winnt.sif"))
    elif method is Method.BSDINSTALL:
        subprocess.run(
            ["sh", "-n"], input=content_of(answers, "etc/installerconfig").encode(), check=True
        )


@pytest.mark.parametrize(("profile", "method"), CASES)
def test_every_profiles_answers_are_taken_by_their_reader(profile: Profile, method: Method) -> None:
    for firmware in profile.variants:
        check(answer_set(method, answers_for(profile, firmware=firmware)), profile, method)


@pytest.mark.parametrize(("profile", "method"), CASES)
def test_awkward_values_are_taken_too(profile: Profile, method: Method) -> None:
    given = answers_for(profile, password=AWKWARD, full_name=AWKWARD_NAME)
    check(answer_set(method, given), profile, method)


@pytest.mark.parametrize(("profile", "method"), CASES)
def test_the_token_is_said_by_the_installed_system_alone(profile: Profile, method: Method) -> None:
    """It is printed by the first boot only, and is on no installer's command line."""
    answers = answer_set(method, answers_for(profile))
    scripts = [decoded(file.content) for file in answers.files]
    assert sum(text.count(TOKEN) for text in scripts) == 1
    assert TOKEN not in answers.start.command_line


def decoded(content: bytes) -> str:
    """A file, and after it what it carries in base64."""
    text = content.decode("latin-1")
    found = re.findall(r"[A-Za-z0-9+/]{200,}={0,2}", text)
    return text + "".join(base64.b64decode(part).decode() for part in found)


def test_there_is_a_case_for_every_method() -> None:
    assert {param.values[1] for param in CASES} == set(METHODS)


# --- values, read back ---------------------------------------------------------------------------


def test_a_windows_password_survives_its_formats() -> None:
    server = profile_of("windows-server-2022")
    answers = answer_set(Method.AUTOUNATTEND, answers_for(server, password=AWKWARD))
    root = fromstring(content_of(answers, "Autounattend.xml"))
    values = [node.text for node in root.iter(f"{UNATTEND}AdministratorPassword") for node in node]
    assert values[0] == AWKWARD
    old = profile_of("windows-xp-sp3")
    ini = read_ini(
        content_of(answer_set(Method.WINNT_SIF, answers_for(old, password=AWKWARD)), "winnt.sif")
    )
    assert unquoted(ini["GuiUnattended"]["AdminPassword"]) == AWKWARD


def test_a_line_break_survives_in_xml_and_is_refused_in_lines() -> None:
    server = profile_of("windows-server-2022")
    answers = answer_set(Method.AUTOUNATTEND, answers_for(server, password="one\ntwo"))
    root = fromstring(content_of(answers, "Autounattend.xml"))
    values = [node.text for node in root.iter(f"{UNATTEND}AdministratorPassword") for node in node]
    assert values[0] == "one\ntwo"
    with pytest.raises(UsageError, match=r"winnt\.sif cannot hold a value with '\\n'") as error:
        answer_set(Method.WINNT_SIF, answers_for(profile_of("windows-xp-sp3"), password="pas\ns"))
    assert "pas" not in str(error.value), "a password is told to nobody"
    with pytest.raises(HarnessError, match="line break"):
        answer_set(Method.PRESEED, answers_for(profile_of("debian-12"), password="a\nb"))


def test_a_sign_outside_the_code_page_is_refused() -> None:
    with pytest.raises(UsageError, match=r"'ł' is not in cp1252"):
        answer_set(Method.WINNT_SIF, answers_for(profile_of("windows-xp-sp3"), full_name="Michał"))


def test_a_name_survives_in_every_format() -> None:
    name = "Ünï <b>&\"'$(id)` %n one two"
    assert answers_for(profile_of("debian-12"), full_name=AWKWARD_NAME).line_name == name

    def given(guest: str, method: Method) -> AnswerSet:
        return answer_set(method, answers_for(profile_of(guest), full_name=AWKWARD_NAME))

    preseed = read_preseed(content_of(given("debian-12", Method.PRESEED), "preseed.cfg"))
    assert preseed["passwd/user-fullname"] == name
    kickstart = read_kickstart(
        content_of(given("rhel-9.6", Method.KICKSTART), "ks.cfg"), profile_of("rhel-9.6")
    )
    assert kickstart.handler.user.userList[0].gecos == name
    seed = content_of(given("ubuntu-24.04", Method.AUTOINSTALL), "user-data")
    assert YAML(typ="safe").load(seed)["autoinstall"]["identity"]["realname"] == name
    agama = json.loads(content_of(given("sles-16.0", Method.AGAMA), "autoinst.json"))
    assert agama["user"]["fullName"] == name
    autoyast = fromstring(content_of(given("sles-15-sp7", Method.AUTOYAST), "autoinst.xml"))
    assert [n.text for n in autoyast.iter("{http://www.suse.com/1.0/yast2ns}fullname")] == [name]
    bsd = content_of(given("freebsd-14.3", Method.BSDINSTALL), "etc/installerconfig")
    (line,) = (line for line in bsd.splitlines() if "pw useradd" in line)
    words = shlex.split(line)
    assert words[words.index("-c") + 1] == name


# --- what only some releases know ----------------------------------------------------------------


def test_the_disk_is_laid_out_for_the_firmware() -> None:
    server = profile_of("windows-server-2022")
    for firmware, types in (
        (Firmware.BIOS, ["Primary", "Primary"]),
        (Firmware.UEFI, ["EFI", "MSR", "Primary"]),
    ):
        answers = answer_set(Method.AUTOUNATTEND, answers_for(server, firmware=firmware))
        root = fromstring(content_of(answers, "Autounattend.xml"))
        made = root.findall(f".//{UNATTEND}CreatePartition/{UNATTEND}Type")
        assert [node.text for node in made] == types
        target = root.find(f".//{UNATTEND}InstallTo/{UNATTEND}PartitionID")
        assert target is not None
        assert target.text == str(len(types))


@pytest.mark.parametrize(
    ("guest", "known"), [("windows-vista-sp2", 0), ("windows-7-sp1", 0), ("windows-10", 1)]
)
def test_old_releases_are_not_told_what_they_do_not_know(guest: str, known: int) -> None:
    answers = answer_set(Method.AUTOUNATTEND, answers_for(profile_of(guest)))
    text = content_of(answers, "Autounattend.xml")
    assert text.count("<HideOnlineAccountScreens>") == known


def test_the_edition_is_named_and_its_published_key_given() -> None:
    text = content_of(
        answer_set(Method.AUTOUNATTEND, answers_for(profile_of("windows-server-2019"))),
        "Autounattend.xml",
    )
    assert "<Key>/IMAGE/NAME</Key><Value>Windows Server 2019 SERVERSTANDARD</Value>" in text
    assert "<Key>N69G4-B89J2-4G8F4-WWYCC-J464C</Key>" in text


def test_the_users_own_key_goes_before_the_published_one() -> None:
    given = answers_for(profile_of("windows-10"), product_key="AAAAA-BBBBB-CCCCC-DDDDD-EEEEE")
    text = content_of(answer_set(Method.AUTOUNATTEND, given), "Autounattend.xml")
    assert "<Key>AAAAA-BBBBB-CCCCC-DDDDD-EEEEE</Key>" in text


@pytest.mark.parametrize("guest", [p.id for p in load_profiles() if p.windows])
def test_windows_scripts_have_their_line_ends_and_every_label(guest: str) -> None:
    profile = profile_of(guest)
    method = next(m for m in profile.provisioning if m in METHODS)
    answers = answer_set(method, answers_for(profile))
    for file in answers.files:
        if not file.path.endswith(".pfx"):
            assert file.content.count(b"\r\n") == file.content.count(b"\n"), file.path
    script = content_of(answers, "guestcert/setup.cmd")
    stages = re.findall(r"^:stage_(\w+)", script, re.M)
    assert stages == re.findall(r"stage\.txt echo (\w+)", script)
    labels = set(re.findall(r"^:(\w+)", script, re.M))
    assert set(re.findall(r"goto (\w+)\r", script)) <= labels
    assert script.index("echo guestcert: ready") < script.rindex(
        "shutdown -s" if profile.windows and profile.windows.version > (5, 0) else "power.vbs 12"
    )
    places = {file.location for file in answers.files}
    assert places == ({Location.FLOPPY} if winnt(profile) else {Location.CD})


@pytest.mark.parametrize(("guest", "end"), [("rhel-5.11", 0), ("rhel-6.10", 2), ("fedora-43", 2)])
def test_sections_end_as_their_release_wants(guest: str, end: int) -> None:
    text = content_of(answer_set(Method.KICKSTART, answers_for(profile_of(guest))), "ks.cfg")
    assert text.count("%end") == end


def test_the_script_of_the_first_boot_is_a_sound_one() -> None:
    text = content_of(
        answer_set(Method.PRESEED, answers_for(profile_of("debian-12"))), "preseed.cfg"
    )
    script = decoded(text.encode()).removeprefix(text)
    subprocess.run(["sh", "-n"], input=script.encode(), check=True)
    assert script.index(f"say ready {TOKEN}") < script.index("poweroff")


def test_an_installer_that_speaks_to_its_journal_is_heard() -> None:
    start = answer_set(Method.AGAMA, answers_for(profile_of("sles-16.0"))).start
    words = start.command_line.split()
    assert "systemd.journald.forward_to_console=1" in words
    assert words.index("console=ttyS0,115200") > words.index("console=tty0"), "the last one hears"


def test_without_a_mirror_none_is_used() -> None:
    answers = answer_set(Method.PRESEED, answers_for(profile_of("debian-12"), mirror=None))
    selections = read_preseed(content_of(answers, "preseed.cfg"))
    assert selections["apt-setup/use_mirror"] == "false"
    assert "mirror/http/hostname" not in selections


# --- the user's own templates --------------------------------------------------------------------


def test_a_users_template_extends_ours(tmp_path: Path) -> None:
    (tmp_path / "preseed.cfg.j2").write_text(
        '{% extends "guestcert/preseed.cfg.j2" %}{% block clock %}{{ super() }}'
        "d-i time/zone string Europe/Berlin\n{% endblock %}",
        encoding="utf-8",
    )
    for guest, zone in (("debian-12", "Europe/Berlin"), ("debian-13", "Asia/Tokyo")):
        (tmp_path / "debian-13").mkdir(exist_ok=True)
        (tmp_path / "debian-13" / "preseed.cfg.j2").write_text(
            "d-i time/zone string Asia/Tokyo\n", encoding="utf-8"
        )
        answers = answer_set(Method.PRESEED, answers_for(profile_of(guest)), tmp_path)
        assert read_preseed(content_of(answers, "preseed.cfg"))["time/zone"] == zone


@pytest.mark.parametrize(
    ("text", "error"),
    [("{{ answers.nothing }}", "has no attribute 'nothing'"), ("a\n{% if %}", r"ks\.cfg\.j2:2")],
)
def test_a_wrong_template_of_the_user_is_told(tmp_path: Path, text: str, error: str) -> None:
    (tmp_path / "ks.cfg.j2").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=error):
        answer_set(Method.KICKSTART, answers_for(profile_of("rhel-9.6")), tmp_path)


def test_a_method_that_installs_nothing_is_told() -> None:
    with pytest.raises(UsageError, match="import is not an installation"):
        answer_set(Method.IMPORT, answers_for(profile_of("debian-12")))


def test_names_that_no_format_could_hold_are_refused() -> None:
    with pytest.raises(HarnessError, match="does not fit every answer file"):
        answers_for(profile_of("debian-12"), host_name="a b")
