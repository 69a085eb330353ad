"""Addresses of Hyper-V hosts: what they name, and that no password ever stands in one."""

from __future__ import annotations

from pathlib import Path

import keyring
import pytest
from keyring.errors import NoKeyringError

from harness.errors import UsageError
from harness.hypervisors.connection import open_hypervisor
from harness.hypervisors.hyperv.address import PASSWORD, Authentication, parse_address


@pytest.fixture(autouse=True)
def no_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    def locked(_service: str, _user: str) -> str:
        raise NoKeyringError

    monkeypatch.delenv(PASSWORD, raising=False)
    monkeypatch.setattr(keyring, "get_password", locked)


def test_a_host_alone_is_asked_by_negotiation_on_the_port_for_https() -> None:
    address = parse_address("hyperv://host.example")
    assert (address.host, address.port) == ("host.example", 5986)
    assert address.auth is Authentication.NEGOTIATE
    assert address.user is None
    assert address.uri == "hyperv://host.example/"


def test_the_host_itself_is_one_like_any_other() -> None:
    # guestcert runs in WSL 2 there, or in a guest, and speaks to it over HTTPS too.
    address = parse_address("hyperv://localhost/")
    assert (address.host, address.port, address.uri) == ("localhost", 5986, "hyperv://localhost/")


def test_every_part_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PASSWORD, "s3cret")
    ca = tmp_path / "ca.pem"
    ca.touch()
    address = parse_address(f"hyperv://EXAMPLE%5Cjoe@[fd00::1]:15986/?auth=ntlm&ca={ca}")
    assert (address.user, address.host, address.port) == ("EXAMPLE\\joe", "fd00::1", 15986)
    assert address.auth is Authentication.NTLM
    assert address.ca == ca
    assert address.password == "s3cret"
    assert address.uri == "hyperv://EXAMPLE%5Cjoe@[fd00::1]:15986/"
    assert "s3cret" not in repr(address)


def test_a_password_in_the_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(UsageError, match="holds a password") as caught:
        open_hypervisor("hyperv://joe:s3cret@host.example/")
    assert "s3cret" not in str(caught.value)
    assert PASSWORD in str(caught.value.remedy)


def test_the_keyring_is_asked_where_the_environment_says_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept = {("guestcert-hyperv", "joe@host.example"): "from the keyring"}
    monkeypatch.setattr(keyring, "get_password", lambda *asked: kept.get(asked))
    assert parse_address("hyperv://joe@host.example").password == "from the keyring"


def test_certificates_log_in_without_a_password(tmp_path: Path) -> None:
    for name in ("me.pem", "me.key"):
        (tmp_path / name).touch()
    options = f"certificate={tmp_path}/me.pem&key={tmp_path}/me.key"
    assert parse_address(f"hyperv://host/?{options}").auth is Authentication.CERTIFICATE


@pytest.mark.parametrize(
    ("uri", "wrong"),
    [
        ("hyperv://", "does not name a host"),
        ("hyperv://[::1/", "the hypervisor's address has no valid host"),
        ("hyperv://host:99999/", "is not a port"),
        ("hyperv://host/machines", "the path '/machines'"),
        ("hyperv://host/?transport=http", "the option 'transport'"),
        ("hyperv://host/?auth=digest", "is not an authentication method"),
        ("hyperv://host/?ca=/no/such.pem", "is not a file"),
        ("hyperv://host/?auth=basic", "needs a user"),
        ("hyperv://joe@host/?auth=ntlm", "no password is set for joe"),
        ("hyperv://host/?auth=certificate", "needs the user's certificate"),
        ("hyperv://host/?auth=ntlm&certificate=/dev/null", "is not a file"),
    ],
)
def test_what_can_not_be_meant_is_the_users_mistake(uri: str, wrong: str) -> None:
    with pytest.raises(UsageError, match=wrong) as caught:
        parse_address(uri)
    assert caught.value.exit_code == 2
    assert caught.value.remedy
