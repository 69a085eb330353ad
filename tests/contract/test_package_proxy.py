"""The real proxy: it passes on its mirror, keeps what it fetched, and refuses all else."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from harness.errors import HarnessError
from harness.provisioning.package_proxy import PORT, package_proxy
from tests.fakes.file_server import FileServer, serving

HOST = "127.0.0.1"
UPSTREAM = 18273
"""apt-cacher-ng takes no port above 32767, where the free ones are."""
ONE_REQUEST = httpx.Limits(max_keepalive_connections=0)
"""The proxy hangs up when it likes, which a client that keeps a connection must expect."""

PACKAGE = "/debian/pool/main/h/hello/hello_2.10_amd64.deb"


@pytest.fixture
def store() -> Iterator[Path]:
    """A folder that everybody may enter, as a store is: the proxy runs as another user."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture
def server() -> Iterator[FileServer]:
    files = {PACKAGE: b"a package", "/other/secret.deb": b"not for guests"}
    with serving(FileServer(files, port=UPSTREAM)) as server:
        yield server


def test_the_mirror_is_passed_on_and_nothing_else(server: FileServer, store: Path) -> None:
    mirror = f"{server.address}/debian"
    with (
        package_proxy(HOST, mirror, store / "cache", store) as proxy,
        httpx.Client(proxy=proxy, trust_env=False, limits=ONE_REQUEST) as guest,
    ):
        assert guest.get(server.address + PACKAGE).content == b"a package"
        assert guest.get(f"{mirror}/pool/nowhere.deb").status_code == httpx.codes.NOT_FOUND
        for elsewhere in (f"{server.address}/other/secret.deb", "http://192.0.2.1/debian/x.deb"):
            assert guest.get(elsewhere).status_code == httpx.codes.FORBIDDEN
    server.files.clear()
    logs = store / "evidence"  # of an installation that has nothing yet
    with (
        package_proxy(HOST, mirror, store / "cache", logs) as proxy,
        httpx.Client(proxy=proxy, trust_env=False, limits=ONE_REQUEST) as guest,
    ):
        assert guest.get(server.address + PACKAGE).content == b"a package", "it was fetched before"
    assert (logs / "proxy.out").exists()


def test_no_tunnel_leads_anywhere(server: FileServer, store: Path) -> None:
    with package_proxy(HOST, f"{server.address}/debian", store / "c", store):
        answers = [
            tunnel_answer(target)
            for target in ("bugs.debian.org:443", "evil.example:443", f"{HOST}:{UPSTREAM}")
        ]
    assert [answer.split()[1] for answer in answers] == [b"403"] * 3


def tunnel_answer(target: str) -> bytes:
    """The first line of what the proxy answers to CONNECT."""
    with socket.create_connection((HOST, PORT), timeout=30) as connection:
        connection.sendall(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
        return connection.makefile("rb").readline()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give rights up")
def test_it_runs_without_roots_rights_in_a_cache_of_its_own(
    server: FileServer, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GUESTCERT_HYPERV_PASSWORD", "swordfish")
    (store / "c" / "1").mkdir(parents=True)
    (store / "c" / "1" / "fetched.deb").write_bytes(b"by root, before")
    with package_proxy(HOST, f"{server.address}/debian", store / "c", store):
        (process,) = [
            file.parent
            for file in Path("/proc").glob("[0-9]*/cmdline")
            if os.fsencode(store) in file.read_bytes()
        ]
        uids, groups = (
            line.split()[1:]
            for line in (process / "status").read_text().splitlines()
            if line.startswith(("Uid:", "Groups:"))
        )
        environment = (process / "environ").read_bytes()
        owners = {str(file.stat().st_uid) for file in (store / "c" / "1").rglob("*")}
        mode = (store / "c" / "1").stat().st_mode & 0o777
    assert len(set(uids)) == 1
    assert owners == set(uids) != {"0"}
    assert "0" not in groups
    assert b"swordfish" not in environment
    assert mode == 0o700


def test_nothing_listens_any_more_at_the_end(server: FileServer, store: Path) -> None:
    with package_proxy(HOST, f"{server.address}/debian", store / "c", store) as proxy:
        pass
    with pytest.raises(httpx.ConnectError):
        httpx.get(server.address + PACKAGE, proxy=proxy, trust_env=False)


def test_the_password_of_the_way_out_is_kept(
    server: FileServer, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://user:secret@127.0.0.1:9")
    with package_proxy(HOST, f"{server.address}/debian", store / "c", store):
        (holding,) = [f for f in store.rglob("acng.conf") if "secret" in f.read_text()]
        assert holding.stat().st_mode & 0o077 == 0
    left = [f for f in store.rglob("*") if f.is_file() and b"secret" in f.read_bytes()]
    assert left == []


def test_an_address_that_is_none_of_ours_is_told(
    server: FileServer, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.provisioning.package_proxy.START_SECONDS", 3.0)
    proxy = package_proxy("192.0.2.7", server.address, store / "c", store)
    with pytest.raises(HarnessError, match="apt-cacher-ng"), proxy:
        pass


def test_a_missing_program_is_told_with_its_package(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.provisioning.package_proxy.PROGRAM", "no-such-program")
    with (
        pytest.raises(HarnessError, match="not installed") as caught,
        package_proxy(HOST, "http://m.test/debian", store, store),
    ):
        pass
    assert caught.value.remedy == "install the package no-such-program"
