"""The real proxy: it passes on its mirror, keeps what it fetched, and refuses all else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from harness.errors import HarnessError
from harness.provisioning.package_proxy import package_proxy
from tests.fakes.file_server import FileServer, serving

HOST = "127.0.0.1"
UPSTREAM = 18273
"""apt-cacher-ng takes no port above 32767, where the free ones are."""
ONE_REQUEST = httpx.Limits(max_keepalive_connections=0)
"""The proxy hangs up when it likes, which a client that keeps a connection must expect."""

PACKAGE = "/debian/pool/main/h/hello/hello_2.10_amd64.deb"


@pytest.fixture
def server() -> Iterator[FileServer]:
    files = {PACKAGE: b"a package", "/other/secret.deb": b"not for guests"}
    with serving(FileServer(files, port=UPSTREAM)) as server:
        yield server


def test_the_mirror_is_passed_on_and_nothing_else(server: FileServer, tmp_path: Path) -> None:
    mirror = f"{server.address}/debian"
    with (
        package_proxy(HOST, mirror, tmp_path / "cache", tmp_path) as proxy,
        httpx.Client(proxy=proxy, trust_env=False, limits=ONE_REQUEST) as guest,
    ):
        assert guest.get(server.address + PACKAGE).content == b"a package"
        assert guest.get(f"{mirror}/pool/nowhere.deb").status_code == httpx.codes.NOT_FOUND
        for elsewhere in (f"{server.address}/other/secret.deb", "http://192.0.2.1/debian/x.deb"):
            assert guest.get(elsewhere).status_code == httpx.codes.FORBIDDEN
    server.files.clear()
    with (
        package_proxy(HOST, mirror, tmp_path / "cache", tmp_path) as proxy,
        httpx.Client(proxy=proxy, trust_env=False, limits=ONE_REQUEST) as guest,
    ):
        assert guest.get(server.address + PACKAGE).content == b"a package", "it was fetched before"


def test_nothing_listens_any_more_at_the_end(server: FileServer, tmp_path: Path) -> None:
    with package_proxy(HOST, f"{server.address}/debian", tmp_path / "c", tmp_path) as proxy:
        pass
    with pytest.raises(httpx.ConnectError):
        httpx.get(server.address + PACKAGE, proxy=proxy, trust_env=False)


def test_the_password_of_the_way_out_is_kept(
    server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://user:secret@127.0.0.1:9")
    with package_proxy(HOST, f"{server.address}/debian", tmp_path / "c", tmp_path):
        (holding,) = [f for f in tmp_path.rglob("*.conf") if "secret" in f.read_text()]
        assert holding.stat().st_mode & 0o077 == 0
    left = [f for f in tmp_path.rglob("*") if f.is_file() and b"secret" in f.read_bytes()]
    assert left == []


def test_an_address_that_is_none_of_ours_is_told(
    server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.provisioning.package_proxy.START_SECONDS", 3.0)
    proxy = package_proxy("192.0.2.7", server.address, tmp_path / "c", tmp_path)
    with pytest.raises(HarnessError, match="apt-cacher-ng"), proxy:
        pass


def test_a_missing_program_is_told_with_its_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.provisioning.package_proxy.PROGRAM", "no-such-program")
    with (
        pytest.raises(HarnessError, match="not installed") as told,
        package_proxy(HOST, "http://m.test/debian", tmp_path, tmp_path),
    ):
        pass
    assert told.value.remedy == "install the package no-such-program"
