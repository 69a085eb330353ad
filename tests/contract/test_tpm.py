"""The commands to a guest's TPM, held against the emulator that machines get: swtpm."""

from __future__ import annotations

import hashlib
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from harness.guests.guest import Guest
from harness.oracles.tpm import Tpm, TpmRefusal
from harness.waiting import Deadline, NotYet, wait_until

DATA = b"what nobody else may read"


class Chip:
    """The operation of a guest's OS that Tpm uses: an exchange with the device."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def exchange(self, command: bytes) -> bytes:
        with closing(socket.socket(socket.AF_UNIX)) as chip:
            chip.settimeout(30)
            chip.connect(str(self._path))
            chip.sendall(command)
            return chip.recv(4096)


@pytest.fixture
def tpm(tmp_path: Path) -> Iterator[Tpm]:
    state = tmp_path / "state"
    state.mkdir()
    path = tmp_path / "chip"
    # One connection ends, and another begins: the kernel's device is opened for each exchange too.
    where = ["--tpmstate", f"dir={state}", "--server", f"type=unixio,path={path}"]
    flags = ["--flags", "startup-clear,not-need-init"]
    chip = subprocess.Popen(["swtpm", "socket", "--tpm2", *where, *flags])
    try:
        wait_until(lambda: _there(path), awaited="swtpm to listen", deadline=Deadline(30))
        guest = cast(Guest, SimpleNamespace(os=SimpleNamespace(tpm=Chip(path))))
        yield Tpm(guest)
    finally:
        chip.kill()
        chip.wait()


def _there(path: Path) -> None:
    if not path.exists():
        raise NotYet("no socket")


def test_registers_follow_what_is_measured(tpm: Tpm) -> None:
    digest = hashlib.sha256(b"measured").digest()
    assert tpm.pcrs([0, 23]) == {0: bytes(32), 23: bytes(32)}
    tpm.extend(23, digest)
    assert tpm.pcrs([23])[23] == hashlib.sha256(bytes(32) + digest).digest()


def test_what_was_sealed_opens_until_a_register_changes(tpm: Tpm) -> None:
    sealed = tpm.seal(DATA, (0, 23))
    for _ in range(5):  # nothing is left in the chip's few slots
        assert tpm.unseal(sealed) == DATA
    tpm.extend(23, bytes(32))
    for _ in range(5):
        with pytest.raises(TpmRefusal) as refusal:
            tpm.unseal(sealed)
        assert refusal.value.policy


def test_what_another_chip_sealed_is_refused(tpm: Tpm) -> None:
    sealed = tpm.seal(DATA, (0,))
    foreign = type(sealed)(sealed.private[:-1] + b"\0", sealed.public, sealed.pcrs)
    with pytest.raises(TpmRefusal) as refusal:
        tpm.unseal(foreign)
    assert not refusal.value.policy
