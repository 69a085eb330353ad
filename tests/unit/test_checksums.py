"""Lists of digests: every common form, the newest file, and who signed with a supplied key."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from harness.errors import HarnessError
from harness.image_store import checksums as lists
from harness.image_store.checksums import digests_in, newest, published
from harness.image_store.recipe import Checksums, Digest
from harness.text import natural_order

ONE, TWO = "ab" * 32, "cd" * 32
FOLDER = "https://vendor.test/images"


@pytest.mark.parametrize(
    "line",
    [
        f"{ONE}  cloud.qcow2\n",
        f"{ONE} *cloud.qcow2\n",
        f"{ONE}  cloud.qcow2\r\n",
        f"{ONE} cloud.qcow2\n",
        f"{ONE}\tcloud.qcow2\n",
        f"{ONE}  ./cloud.qcow2\n",
        f"{ONE}  images/cloud.qcow2\n",
        f"{ONE}  C:\\build\\cloud.qcow2\r\n",
        f"{ONE.upper()}  cloud.qcow2",
        f"\ufeff{ONE}  cloud.qcow2\r\n",
        f"SHA256 (cloud.qcow2) = {ONE}\n",
        f"SHA256 (cloud.qcow2) = {ONE}\r\n",
        f"SHA256 (images/cloud.qcow2) = {ONE}\n",
        f"SHA256(cloud.qcow2)= {ONE}\n",
        f"SHA2-256(cloud.qcow2)= {ONE}\r\n",
    ],
)
def test_every_common_form_is_read(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text = f"# a comment: 3 bytes\n{TWO}  other.qcow2\n{line}"
    if line.startswith("\ufeff"):
        text = line
    assert found(text, "cloud.qcow2", monkeypatch) == ("cloud.qcow2", ONE)


@pytest.mark.parametrize(
    ("text", "problem", "remedy"),
    [
        ("<html>moved</html>\n", "has no line with the sha256 of a file", "file and algorithm"),
        (f"{ONE}{TWO}  cloud.qcow2\n", "has no line with the sha256", "file and algorithm"),
        (f"{ONE}  cloud-2.qcow2\n", "does not list the file cloud.qcow2", "cloud-2.qcow2"),
        (f"{ONE}  a/cloud.qcow2\n{TWO}  b/cloud.qcow2\n", "2 different digests", "another list"),
    ],
)
def test_the_cause_is_the_true_one(
    text: str, problem: str, remedy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(HarnessError, match=problem) as caught:
        found(text, "cloud.qcow2", monkeypatch)
    assert remedy in str(caught.value.remedy)


def test_a_hostile_list_costs_no_time() -> None:
    text = f"{ONE}{' ' * 500_000}\nSHA256 ({'(' * 500_000}\n{'a' * 500_000}\n{ONE}  x.img\n"
    assert dict(digests_in(text, Digest.SHA256)) == {"x.img": {ONE}}


def test_the_newest_is_the_last_as_people_count() -> None:
    names = [f"SLES15-Cloud-{build}.qcow2" for build in ("QU9", "QU10", "GM", "QU2")]
    assert newest("SLES15-*.qcow2", names) == "SLES15-Cloud-QU10.qcow2"
    assert newest("SLES16-*.qcow2", names) is None
    assert newest("x-*", ["x-" + "9" * 9999, "x-1" + "0" * 9999]) == "x-1" + "0" * 9999


def test_numbers_are_in_order_before_words() -> None:
    names = ["os-10.img", "os-a.img", "os-9.img", "os-009b.img", "os-\u00b2.img"]
    ordered = ["os-9.img", "os-009b.img", "os-10.img", "os-a.img", "os-\u00b2.img"]
    assert sorted(names, key=natural_order) == ordered


# Signatures, by a key that the user supplies


@dataclass(frozen=True)
class Signer:
    home: Path
    fingerprint: str

    def run(self, *words: str, stdin: bytes = b"") -> bytes:
        command = ["gpg", "--homedir", str(self.home), "--batch", "--quiet", *words]
        return subprocess.run(command, input=stdin, capture_output=True, check=True).stdout


@pytest.fixture(scope="module")
def signer() -> Iterator[Signer]:
    """A key that signs with a subkey, as some vendors do."""
    assert shutil.which("gpg"), "these tests need gpg (Debian: package gnupg)"
    # The agent's socket has a short limit on its path.
    home = Path(subprocess.check_output(["mktemp", "-d"], text=True).strip())
    home.chmod(0o700)
    gpg = Signer(home, "")
    gpg.run("--passphrase", "", "--quick-generate-key", "vendor@os.test", "ed25519", "cert")
    listed = gpg.run("--list-keys", "--with-colons").decode()
    (fingerprint,) = (row.split(":")[9] for row in listed.splitlines() if row.startswith("fpr:"))
    gpg.run("--passphrase", "", "--quick-add-key", fingerprint, "ed25519", "sign")
    yield Signer(home, fingerprint)
    subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=False)
    shutil.rmtree(home)


def found(
    text: str,
    image: str,
    monkeypatch: pytest.MonkeyPatch,
    *,
    signature: bytes | None = None,
    signer: str | None = None,
    keyrings: Path = Path("/nowhere"),
    steps: list[str] | None = None,
) -> tuple[str, str]:
    """What is found in a list that the vendor serves; unsigned ones must come from its host."""

    def fetched(_: object, address: str, *, from_host_itself: bool = False) -> bytes:
        assert address.startswith(f"{FOLDER}/SUMS")
        if address.endswith(".asc"):
            assert signature is not None
            return signature
        supplied = signer is not None and (keyrings / f"{signer}.gpg").exists()
        assert from_host_itself is not supplied
        return text.encode()

    monkeypatch.setattr(lists, "fetch_small", fetched)
    sums = Checksums(
        file="SUMS",
        algorithm=Digest.SHA256,
        signature=None if signature is None else "SUMS.asc",
        signer=signer,
    )
    with httpx.Client() as client:
        return published(
            client, FOLDER, sums, image, keyrings, (steps if steps is not None else []).append
        )


@pytest.mark.parametrize("how", ["--clear-sign", "--detach-sign"])
def test_a_supplied_key_verifies_the_list(
    signer: Signer, how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = f"{ONE}  cloud.qcow2\n"
    (tmp_path / f"{signer.fingerprint}.gpg").write_bytes(signer.run("--export"))
    made = signer.run(how, "--armor", stdin=text.encode())
    detached = made if how == "--detach-sign" else None
    served = text if detached else made.decode()

    def read(listed: str) -> tuple[str, str]:
        return found(
            listed,
            "cloud.qcow2",
            monkeypatch,
            signature=detached,
            signer=signer.fingerprint,
            keyrings=tmp_path,
        )

    assert read(served) == ("cloud.qcow2", ONE)
    with pytest.raises(HarnessError, match="is not signed by"):
        read(served.replace(ONE, TWO))


def test_the_key_of_another_vendor_verifies_nothing(
    signer: Signer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A keyring may hold more keys than the one that it is named after."""
    named = "A" * 40
    (tmp_path / f"{named}.gpg").write_bytes(signer.run("--export"))
    served = signer.run("--clear-sign", stdin=f"{ONE}  cloud.qcow2\n".encode()).decode()
    with pytest.raises(HarnessError, match=f"it is signed by {signer.fingerprint}"):
        found(served, "cloud.qcow2", monkeypatch, signer=named, keyrings=tmp_path)


def test_without_the_key_the_list_is_its_hosts_and_that_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    right = found(
        f"{ONE}  cloud.qcow2\n",
        "cloud.qcow2",
        monkeypatch,
        signer="A" * 40,
        keyrings=tmp_path,
        steps=steps,
    )
    assert right == ("cloud.qcow2", ONE)
    assert steps == [f"{FOLDER}/SUMS: signature not verified, no key {'A' * 40} in {tmp_path}"]
