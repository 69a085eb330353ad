"""Downloads: from whom, over what, how large, for how long, and after which pauses."""

from __future__ import annotations

import gzip
import hashlib
import shutil
import ssl
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from harness.errors import HarnessError
from harness.image_store.download import IMAGE_SECONDS, PAUSES, download, fetch_small, open_client
from harness.image_store.recipe import Digest
from harness.waiting import JumpingClock
from tests.fakes.file_server import FileServer, serving
from tests.fakes.powershell_remoting.certificates import Certificate, self_signed

CONTENT = b"disk" * 2**19
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return self_signed(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def server(certificate: Certificate) -> Iterator[FileServer]:
    files = {"/disk.img": CONTENT, "/SUMS": b"digests"}
    with serving(FileServer(files, certificate=certificate)) as server:
        yield server


@pytest.fixture
def client(certificate: Certificate) -> Iterator[httpx.Client]:
    with open_client(ssl.create_default_context(cafile=str(certificate.path))) as client:
        yield client


@pytest.fixture
def clock() -> JumpingClock:
    return JumpingClock()


def test_a_file_is_asked_for_as_it_is_and_kept_as_it_is_sent(
    server: FileServer, client: httpx.Client, tmp_path: Path
) -> None:
    file = tmp_path / "disk.img"
    download(client, f"{server.address}/disk.img", file, Digest.SHA256, DIGEST, print)
    assert file.read_bytes() == CONTENT
    assert set(server.accepted) == {"identity"}


@pytest.mark.parametrize("path", ["/disk.img", "/SUMS"])
def test_an_encoded_answer_is_refused_before_it_grows(
    server: FileServer, client: httpx.Client, tmp_path: Path, path: str
) -> None:
    server.files[path] = gzip.compress(bytes(2**24))
    server.encodings[path] = "gzip"
    file = tmp_path / "disk.img"
    with pytest.raises(HarnessError, match="is sent encoded"):
        if path == "/SUMS":
            fetch_small(client, server.address + path)
        else:
            download(client, server.address + path, file, Digest.SHA256, DIGEST, print)
    assert not file.exists()


@pytest.mark.parametrize("target", ["http://127.0.0.1:9/disk.img", "ftp://127.0.0.1/disk.img"])
def test_a_redirection_to_anything_but_https_is_refused(
    server: FileServer, client: httpx.Client, tmp_path: Path, clock: JumpingClock, target: str
) -> None:
    server.redirects = {"/disk.img": target, "/SUMS": target}
    with pytest.raises(HarnessError):
        fetch_small(client, f"{server.address}/SUMS")
    with pytest.raises(HarnessError) as refused:
        download(
            client,
            f"{server.address}/disk.img",
            tmp_path / "disk.img",
            Digest.SHA256,
            DIGEST,
            print,
            clock,
        )
    assert "https" in str(refused.value) or "protocol" in str(refused.value)
    assert not (tmp_path / "disk.img").exists()


def test_an_http_address_is_refused_before_anything_is_sent(
    client: httpx.Client, tmp_path: Path
) -> None:
    with serving(FileServer({"/SUMS": b"digests"})) as plain:
        with pytest.raises(HarnessError, match="is not an https address"):
            fetch_small(client, f"{plain.address}/SUMS")
        assert plain.ranges == []


def test_an_image_may_come_from_another_host_and_an_unsigned_list_may_not(
    server: FileServer, client: httpx.Client, tmp_path: Path
) -> None:
    port = server.address.rpartition(":")[2]
    mirror = f"https://localhost:{port}"  # the same server under another name
    server.files |= {"/mirror/disk.img": CONTENT, "/mirror/SUMS": b"digests"}
    server.redirects = {
        "/disk.img": f"{mirror}/mirror/disk.img",
        "/SUMS": f"{mirror}/mirror/SUMS",
        "/detour": f"{mirror}/back",
        "/back": f"{server.address}/mirror/SUMS",
    }
    file = tmp_path / "disk.img"
    download(client, f"{server.address}/disk.img", file, Digest.SHA256, DIGEST, print)
    assert file.read_bytes() == CONTENT
    assert fetch_small(client, f"{server.address}/SUMS") == b"digests"
    for path in ("/SUMS", "/detour"):
        with pytest.raises(HarnessError, match="comes from localhost"):
            fetch_small(client, server.address + path, from_host_itself=True)


def test_a_moved_list_of_the_same_host_is_taken(server: FileServer, client: httpx.Client) -> None:
    server.redirects = {"/old/SUMS": f"{server.address}/SUMS"}
    found = fetch_small(client, f"{server.address}/old/SUMS", from_host_itself=True)
    assert found == b"digests"


@pytest.mark.parametrize(
    ("length", "problem"),
    [("", "does not state its length"), (str(65 * 1024**3), "no image has more than 64")],
)
def test_an_image_without_a_sound_length_is_refused(
    server: FileServer, client: httpx.Client, tmp_path: Path, length: str, problem: str
) -> None:
    server.lengths["/disk.img"] = length
    file = tmp_path / "disk.img"
    with pytest.raises(HarnessError, match=problem):
        download(client, f"{server.address}/disk.img", file, Digest.SHA256, DIGEST, print)
    assert not file.exists()


def test_an_image_that_does_not_fit_on_the_disk_is_refused(
    server: FileServer, client: httpx.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=2**20))
    file = tmp_path / "disk.img"
    with pytest.raises(HarnessError, match=r"needs 2 MiB, and .* has 1 MiB"):
        download(client, f"{server.address}/disk.img", file, Digest.SHA256, DIGEST, print)
    assert not file.exists()


def test_a_list_without_end_is_cut_off(server: FileServer, client: httpx.Client) -> None:
    server.files["/SUMS"] = b"x" * (5 * 2**20)
    server.lengths["/SUMS"] = ""
    with pytest.raises(HarnessError, match="is not a checksum list: it is larger than 4 MiB"):
        fetch_small(client, f"{server.address}/SUMS")


def test_a_download_ends_when_its_time_is_over(
    server: FileServer, client: httpx.Client, tmp_path: Path, clock: JumpingClock
) -> None:
    def slow(_: str) -> None:
        clock.sleep(IMAGE_SECONDS)

    file = tmp_path / "disk.img"
    with pytest.raises(HarnessError, match="was not downloaded within"):
        download(client, f"{server.address}/disk.img", file, Digest.SHA256, DIGEST, slow, clock)
    assert 0 < file.stat().st_size < len(CONTENT)


def test_attempts_have_longer_and_longer_pauses_between_them(
    client: httpx.Client, certificate: Certificate, tmp_path: Path, clock: JumpingClock
) -> None:
    with serving(FileServer(certificate=certificate)) as server:
        address = f"{server.address}/disk.img"
    steps: list[str] = []
    with pytest.raises(HarnessError, match="could not be downloaded"):
        download(client, address, tmp_path / "disk.img", Digest.SHA256, DIGEST, steps.append, clock)
    assert [line.rpartition(" in ")[2] for line in steps] == ["1 s", "5 s", "20 s"]
    assert sum(clock.slept) == pytest.approx(sum(PAUSES), abs=0.1)


def test_what_the_server_does_not_have_is_asked_for_once(
    server: FileServer, client: httpx.Client, tmp_path: Path, clock: JumpingClock
) -> None:
    with pytest.raises(HarnessError, match="404"):
        download(
            client,
            f"{server.address}/none.img",
            tmp_path / "none.img",
            Digest.SHA256,
            DIGEST,
            print,
            clock,
        )
    assert clock.slept == []
    assert len(server.ranges) == 1
