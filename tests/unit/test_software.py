"""What a guest is made of, asked once and kept in the run directory."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import Mock

import pytest

from harness.channels.agent import AgentCommands
from harness.errors import ChannelError, NotApplicable
from harness.guests.os.product import OsRelease
from harness.lab.software import PACKAGES_LIMIT, GuestSoftware, known_software, take_software
from harness.results.comparison import compare
from harness.results.model import Environment, GuestBuild
from tests.unit.builders import GUEST, a_profile, a_run

RELEASE = OsRelease(
    system="Linux",
    distribution="debian",
    name="Debian GNU/Linux",
    release="12",
    title="Debian GNU/Linux 12 (bookworm)",
    kernel="6.1.0-18-amd64",
    kernel_architecture="x86_64",
    architecture="x86_64",
)


@pytest.fixture
def guest() -> Mock:
    made = Mock(profile=a_profile())
    made.os.product.release.return_value = RELEASE
    made.os.product.packages.return_value = ["acl 2.3.1-3 amd64", "zlib1g 1:1.2.13 amd64"]
    made.agent.call.return_value = {"version": "7.2.7", "supported_commands": []}
    made.agent.commands.return_value = AgentCommands(frozenset(), frozenset({"guest-exec"}))
    return made


def taken(guest: Mock, reports: Path) -> GuestSoftware:
    take_software(guest, reports / "guests")
    return known_software(GUEST, reports / "guests")


def test_the_software_of_a_guest_is_kept_with_its_packages_in_a_file(
    guest: Mock, tmp_path: Path
) -> None:
    known = taken(guest, tmp_path)
    assert (known.os, known.kernel) == ("Debian GNU/Linux 12 (bookworm)", "6.1.0-18-amd64")
    assert known.agent == "7.2.7"
    assert known.agent_policy == "blocks guest-exec"
    assert known.packages == f"guests/{GUEST}/packages.txt"
    listed = (tmp_path / known.packages).read_text(encoding="utf-8")
    assert listed == "acl 2.3.1-3 amd64\nzlib1g 1:1.2.13 amd64\n"
    assert guest.os.product.packages.call_args.kwargs == {"limit": PACKAGES_LIMIT}


def test_a_guest_that_cannot_say_leaves_it_out(guest: Mock, tmp_path: Path) -> None:
    guest.os.product.packages.side_effect = NotApplicable("no dpkg")
    guest.os.product.release.side_effect = ChannelError("no answer")
    guest.agent.call.side_effect = ChannelError("no agent")
    guest.agent.commands.side_effect = ChannelError("no agent")
    assert taken(guest, tmp_path) == GuestSoftware()


@pytest.mark.parametrize("info", [{"version": 7}, {"version": None}, [], "x", None])
def test_an_agent_that_answers_otherwise_has_no_version(
    guest: Mock, tmp_path: Path, info: object
) -> None:
    guest.agent.call.return_value = info
    known = taken(guest, tmp_path)
    assert (known.agent, known.kernel) == ("", "6.1.0-18-amd64")


def test_a_hostile_guest_s_answers_are_bounded_and_inert(guest: Mock, tmp_path: Path) -> None:
    guest.os.product.packages.return_value = ["\x1b[31mevil\r" + "x" * 1000, "y\n/../z"] * 20_000
    guest.agent.call.return_value = {"version": "\x1b]0;x\x07" * 1000}
    known = taken(guest, tmp_path)
    listed = (tmp_path / known.packages).read_bytes()
    assert len(listed) <= PACKAGES_LIMIT
    assert b"\x1b" not in listed
    assert b"\r" not in listed
    assert len(known.agent) <= 200
    assert known.agent.isprintable()


def test_a_guest_that_never_came_up_has_none(tmp_path: Path) -> None:
    assert known_software(GUEST, tmp_path) == GuestSoftware()


def environment(**build: str) -> Environment:
    return a_run().environment.model_copy(update={"guests": {GUEST: GuestBuild(**build)}})


def test_another_kernel_is_a_change_of_the_environment() -> None:
    base = a_run().model_copy(update={"environment": environment(kernel="6.1.0-18", packages="a")})
    head = a_run().model_copy(update={"environment": environment(kernel="6.1.0-21", packages="b")})
    changed = {name: values for name, *values in compare(base, head).environment}
    assert changed == {f"{GUEST}.kernel": ["6.1.0-18", "6.1.0-21"]}


def test_a_record_of_an_older_version_is_read() -> None:
    document = a_run().model_dump(mode="json", by_alias=True)
    document["environment"]["guests"] = {
        GUEST: {"image": "sha256:01", "image_name": "debian-12-01", "profile": "sha256:02"}
    }
    build = type(a_run()).model_validate(document).environment.guests[GUEST]
    assert (build.image, build.kernel) == ("sha256:01", "")
