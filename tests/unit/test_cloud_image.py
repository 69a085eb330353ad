"""Vendors' cloud images: found in their lists, verified, resumed; and those that users bring."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from harness.errors import HarnessError, UsageError
from harness.image_store.builder import IMAGE, StepReporter
from harness.image_store.checksums import digests_in
from harness.image_store.cloud_image import CloudImage
from harness.image_store.download import UnreachableError
from harness.image_store.recipe import Checksums, CloudImageRecipe, Digest
from harness.image_store.store import BaseImage, ImageStore
from harness.waiting import JumpingClock
from tests.fakes.file_server import FileServer, serving
from tests.fakes.powershell_remoting.certificates import Certificate, self_signed

DISK = (b"\0" * 510 + b"\x55\xaa").ljust(3 * 2**20, b"\0")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return self_signed(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(autouse=True)
def _trusted(certificate: Certificate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.path))


@pytest.fixture
def server(certificate: Certificate) -> Iterator[FileServer]:
    with serving(FileServer(certificate=certificate)) as server:
        yield server


@pytest.fixture
def clock() -> JumpingClock:
    return JumpingClock()


@pytest.fixture
def builder(tmp_path: Path, clock: JumpingClock) -> CloudImage:
    return CloudImage(tmp_path, clock=clock)


def offered(server: FileServer, *names: str) -> CloudImageRecipe:
    """A recipe for images that the server offers, with a sound list of digests."""
    digest = hashlib.sha256(DISK).hexdigest()
    server.files |= {f"/images/{name}": DISK for name in names}
    listed = "".join(f"{digest} *{name}\n" for name in names)
    server.files["/images/SHA256SUMS"] = listed.encode()
    return a_recipe(f"{server.address}/images")


def a_recipe(folder: str, **checksums: object) -> CloudImageRecipe:
    sums = Checksums(file="SHA256SUMS", algorithm=Digest.SHA256, **checksums)
    return CloudImageRecipe(
        id="os-1", kind="cloud-image", folder=folder, image="os-1-*.img", checksums=sums
    )


def build(builder: CloudImage, recipe: CloudImageRecipe, folder: Path) -> list[str]:
    output: list[str] = []
    folder.mkdir(exist_ok=True)
    builder.build(recipe, folder, output.append)
    return output


def test_the_newest_build_is_downloaded_verified_and_converted(
    server: FileServer, builder: CloudImage, tmp_path: Path
) -> None:
    recipe = offered(server, "os-1-9.img", "os-1-10.img", "os-2-99.img")
    assert builder.inputs(recipe, print)["image"] == "os-1-10.img"
    output = build(builder, recipe, tmp_path / "made")
    assert any(line == "downloading os-1-10.img: 3 MiB of 3, 100 %" for line in output)
    info = subprocess.run(
        ["qemu-img", "info", str(tmp_path / "made" / IMAGE)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "file format: qcow2" in info.stdout
    assert list((tmp_path / "downloads").iterdir()) == []


def test_a_download_goes_on_where_it_broke_off(
    server: FileServer, builder: CloudImage, tmp_path: Path
) -> None:
    recipe = offered(server, "os-1-1.img")
    server.break_at = [10_000_000, 2**20, 2 * 2**20]  # the list of digests whole, the image not
    output = build(builder, recipe, tmp_path / "made")
    assert sum("resuming in" in line for line in output) == 2
    assert server.ranges[-2:] == [f"bytes={2**20}-", f"bytes={2 * 2**20}-"]


def test_what_was_left_of_an_earlier_attempt_is_used(
    server: FileServer, builder: CloudImage, tmp_path: Path
) -> None:
    recipe = offered(server, "os-1-1.img")
    (tmp_path / "downloads").mkdir()
    (tmp_path / "downloads" / "os-1-1.img.part").write_bytes(DISK)
    build(builder, recipe, tmp_path / "made")
    assert server.ranges[-1] == f"bytes={len(DISK)}-"
    assert list((tmp_path / "downloads").iterdir()) == []


@pytest.mark.parametrize("content", [DISK, b"another build"], ids=["fits", "fits not"])
def test_what_the_user_put_there_is_used_where_it_fits_and_stays(
    server: FileServer, builder: CloudImage, tmp_path: Path, content: bytes
) -> None:
    recipe = offered(server, "os-1-1.img")
    (tmp_path / "downloads").mkdir()
    own = tmp_path / "downloads" / "os-1-1.img"
    own.write_bytes(content)
    output = build(builder, recipe, tmp_path / "made")
    assert any(line.startswith("downloading") for line in output) is (content != DISK)
    assert own.read_bytes() == content
    assert [file.name for file in own.parent.iterdir()] == [own.name]


@pytest.mark.parametrize("left", [2**20, len(DISK) + 7])
def test_what_was_left_of_another_build_is_thrown_away(
    server: FileServer, builder: CloudImage, tmp_path: Path, left: int
) -> None:
    """Vendors give their newest build the same name as the one before."""
    recipe = offered(server, "os-1-1.img")
    (tmp_path / "downloads").mkdir()
    (tmp_path / "downloads" / "os-1-1.img.part").write_bytes(b"!" * left)
    output = build(builder, recipe, tmp_path / "made")
    assert sum("of another build" in line for line in output) == 1
    assert server.ranges[-1] == ""
    assert (tmp_path / "made" / IMAGE).exists()


def test_an_image_with_another_digest_is_refused_and_removed(
    server: FileServer, builder: CloudImage, tmp_path: Path
) -> None:
    recipe = offered(server, "os-1-1.img")
    server.files["/images/os-1-1.img"] = DISK[:-1] + b"!"
    with pytest.raises(HarnessError, match="its checksum list has"):
        build(builder, recipe, tmp_path / "made")
    assert list((tmp_path / "downloads").iterdir()) == []
    assert not (tmp_path / "made" / IMAGE).exists()


def test_what_the_server_lacks_is_told(
    server: FileServer, builder: CloudImage, tmp_path: Path
) -> None:
    recipe = offered(server, "os-1-1.img")
    del server.files["/images/os-1-1.img"]
    with pytest.raises(HarnessError, match=r"os-1-1.img could not be downloaded: .* 404 Not Found"):
        build(builder, recipe, tmp_path / "made")
    with pytest.raises(HarnessError, match="does not list the file os-1-"):
        builder.inputs(offered(server, "os-2-1.img"), print)
    server.files.clear()
    with pytest.raises(HarnessError, match="SHA256SUMS could not be downloaded"):
        builder.inputs(recipe, print)


def test_nobody_answering_is_told(builder: CloudImage, certificate: Certificate) -> None:
    with serving(FileServer(certificate=certificate)) as server:
        recipe = offered(server, "os-1-1.img")
    with pytest.raises(HarnessError, match="could not be downloaded") as error:
        builder.inputs(recipe, print)
    assert "HTTPS_PROXY" in str(error.value.remedy)


def test_an_image_behind_a_login_is_taken_from_the_users_download(
    builder: CloudImage, tmp_path: Path
) -> None:
    recipe = CloudImageRecipe(
        id="rhel-9", kind="cloud-image", page="https://vendor.test/get", image="rhel-9*.qcow2"
    )
    with pytest.raises(UsageError, match="provides it to customers only") as error:
        builder.inputs(recipe, print)
    assert "https://vendor.test/get" in str(error.value.remedy)
    (tmp_path / "downloads").mkdir()
    own = tmp_path / "downloads" / "rhel-9.6-kvm.qcow2"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", str(own), "1M"], check=True)
    build(builder, recipe, tmp_path / "made")
    assert own.exists()
    assert (tmp_path / "made" / IMAGE).exists()


def test_the_newest_of_the_users_downloads_is_the_last_as_people_count(
    builder: CloudImage, tmp_path: Path
) -> None:
    recipe = CloudImageRecipe(
        id="sles-15-sp7", kind="cloud-image", page="https://vendor.test/get", image="SLES15*.qcow2"
    )
    (tmp_path / "downloads").mkdir()
    for build in ("GM", "QU2", "QU9", "QU10"):
        file = tmp_path / "downloads" / f"SLES15-SP7-Minimal-VM.x86_64-Cloud-{build}.qcow2"
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", str(file), "1M"], check=True)
    newest = builder.inputs(recipe, print)["image"]
    assert newest == "SLES15-SP7-Minimal-VM.x86_64-Cloud-QU10.qcow2"


def test_both_forms_of_lists_are_read() -> None:
    one, two = "ab" * 32, "cd" * 32
    text = f"# a comment\n{one} *a.img\n{two}  ./b.img\nSHA256 (c.img) = {one.upper()}\n"
    read = {name: set(digests) for name, digests in digests_in(text, Digest.SHA256).items()}
    assert read == {"a.img": {one}, "b.img": {two}, "c.img": {one}}
    assert digests_in(text, Digest.SHA512) == {}


# --- signatures ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def keys() -> Iterator[Path]:
    """A folder of gpg with one key of its own, exported to `keyring.gpg`."""
    assert shutil.which("gpg"), "these tests need gpg (Debian: package gnupg)"
    # The agent's socket has a short limit on its path.
    home = Path(subprocess.check_output(["mktemp", "-d"], text=True).strip())
    home.chmod(0o700)
    gpg = ["gpg", "--homedir", str(home), "--batch", "--quiet"]
    subprocess.run(
        [*gpg, "--passphrase", "", "--quick-generate-key", "vendor@os.test", "ed25519"], check=True
    )
    subprocess.run([*gpg, "--output", str(home / "keyring.gpg"), "--export"], check=True)
    yield home
    subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=False)
    shutil.rmtree(home)


def signed(keys: Path, content: bytes, how: str) -> bytes:
    done = subprocess.run(
        ["gpg", "--homedir", str(keys), "--batch", "--quiet", how],
        input=content,
        capture_output=True,
        check=True,
    )
    return done.stdout


@pytest.mark.parametrize("how", ["--detach-sign", "--clear-sign"])
def test_a_signed_list_is_verified(
    server: FileServer, builder: CloudImage, keys: Path, how: str
) -> None:
    offered(server, "os-1-1.img")
    listed = server.files["/images/SHA256SUMS"]
    given: dict[str, object] = {"keyring": keys / "keyring.gpg"}
    if how == "--detach-sign":
        given["signature"] = "SHA256SUMS.gpg"
        server.files["/images/SHA256SUMS.gpg"] = signed(keys, listed, how)
    else:
        server.files["/images/SHA256SUMS"] = signed(keys, listed, how)
    recipe = a_recipe(f"{server.address}/images", **given)
    assert builder.inputs(recipe, print)["image"] == "os-1-1.img"

    forged = server.files["/images/SHA256SUMS"].replace(b"os-1-1", b"os-1-2")
    server.files["/images/SHA256SUMS"] = forged
    with pytest.raises(HarnessError, match="is not signed by"):
        builder.inputs(recipe, print)


def test_a_list_without_a_signature_is_refused_where_one_is_due(
    server: FileServer, builder: CloudImage, keys: Path
) -> None:
    offered(server, "os-1-1.img")
    recipe = a_recipe(f"{server.address}/images", keyring=keys / "keyring.gpg")
    with pytest.raises(HarnessError, match="is not signed by"):
        builder.inputs(recipe, print)


def test_missing_keys_are_told_with_their_package(server: FileServer, builder: CloudImage) -> None:
    offered(server, "os-1-1.img")
    recipe = a_recipe(
        f"{server.address}/images",
        keyring=Path("/nowhere/keys.gpg"),
        keyring_package="vendor-keyring",
    )
    with pytest.raises(HarnessError, match="not on this host") as error:
        builder.inputs(recipe, print)
    assert error.value.remedy == "install vendor-keyring"


# Where the vendor can't be asked


def image_of(
    recipe: CloudImageRecipe, root: Path, step: StepReporter = lambda _: None
) -> BaseImage:
    with closing(ImageStore(root)) as store:
        return store.base_image(recipe, step)


def test_where_the_vendor_cannot_be_asked_the_newest_image_that_is_there_is_used(
    tmp_path: Path, certificate: Certificate
) -> None:
    with serving(FileServer(certificate=certificate)) as server:
        recipe = offered(server, "os-1-1.img")
        first = image_of(recipe, tmp_path)
        recipe = offered(server, "os-1-2.img")
        second = image_of(recipe, tmp_path)
    assert second.name != first.name
    output: list[str] = []
    assert image_of(recipe, tmp_path, output.append) == second
    assert any(
        "could not be downloaded" in line and "using the image made on" in line for line in output
    )


def test_where_there_is_none_or_none_is_whole_it_is_told(
    tmp_path: Path, certificate: Certificate
) -> None:
    with serving(FileServer(certificate=certificate)) as server:
        recipe = offered(server, "os-1-1.img")
        image = image_of(recipe, tmp_path / "one")
    with pytest.raises(UnreachableError, match="could not be downloaded"):
        image_of(recipe, tmp_path / "another")
    image.path.chmod(0o644)
    image.path.write_bytes(b"altered")
    with pytest.raises(UnreachableError, match="could not be downloaded"):
        image_of(recipe, tmp_path / "one")


def test_a_vendor_who_answers_that_there_is_none_is_believed(
    tmp_path: Path, certificate: Certificate
) -> None:
    with serving(FileServer(certificate=certificate)) as server:
        recipe = offered(server, "os-1-1.img")
        image_of(recipe, tmp_path)
        del server.files["/images/SHA256SUMS"]
        with pytest.raises(HarnessError, match="404") as caught:
            image_of(recipe, tmp_path)
    assert not isinstance(caught.value, UnreachableError)
