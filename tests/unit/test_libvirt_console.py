"""A libvirt console: what its stream loses at a machine's end comes from the copy of its output."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness.channels.console import Console
from harness.hypervisors.libvirt import console as libvirt_console
from harness.hypervisors.libvirt.console import FROM_GUEST, LibvirtConsole
from harness.hypervisors.libvirt.domain import Domain

EARLIER = b"the output of an earlier start\n"


class EndingStream:
    """A named fake of libvirt's stream: it delivers pieces, and is then aborted."""

    def __init__(self, *pieces: bytes) -> None:
        self._pieces = list(pieces)
        self._callback: Callable[..., None] = lambda *_: None

    def eventAddCallback(self, _events: int, callback: Callable[..., None], _: Any) -> None:  # noqa: N802
        self._callback = callback

    def eventRemoveCallback(self) -> None:  # noqa: N802
        pass

    def recv(self, _size: int) -> bytes:
        return self._pieces.pop(0) if self._pieces else b""

    def abort(self) -> None:
        pass

    def end(self) -> None:
        """Deliver the pieces and the end, as libvirt's event thread does."""
        self._callback(self, FROM_GUEST, None)


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "guest-console.log"
    file.write_bytes(EARLIER)
    monkeypatch.setattr(libvirt_console, "STABLE_SECONDS", 0.01)
    monkeypatch.setattr(libvirt_console, "console_copy", lambda _connection, _name: file)
    return file


def open_console(stream: EndingStream) -> socket.socket:
    domain = SimpleNamespace(
        name="guest",
        connection=SimpleNamespace(newStream=lambda _flags: stream),
        handle=SimpleNamespace(openConsole=lambda *_: None),
    )
    return LibvirtConsole(cast(Domain, domain)).open()


def whole_output(stream: EndingStream, opened: socket.socket, log: Path) -> bytes:
    """All that a reader gets until the console's end."""
    console = Console(opened, log)
    stream.end()
    assert console.await_end(30), "the console did not end"
    output = console.since(0)
    console.close()
    return output


def test_the_last_line_comes_from_the_copy_where_the_stream_lost_it(
    copy: Path, tmp_path: Path
) -> None:
    stream = EndingStream(b"Powering off.\n", b"entering S5\n")
    opened = open_console(stream)
    copy.write_bytes(EARLIER + b"Powering off.\nentering S5\nreboot: Power down\n")
    expected = b"Powering off.\nentering S5\nreboot: Power down\n"
    assert whole_output(stream, opened, tmp_path / "console.log") == expected
    assert (tmp_path / "console.log").read_bytes() == expected


def test_output_that_arrived_whole_is_not_repeated(copy: Path, tmp_path: Path) -> None:
    stream = EndingStream(b"reboot: Power down\n")
    opened = open_console(stream)
    copy.write_bytes(EARLIER + b"reboot: Power down\n")
    assert whole_output(stream, opened, tmp_path / "console.log") == b"reboot: Power down\n"


@pytest.mark.parametrize("content", [None, b"", b"another file after a flood\n" * 9])
def test_a_copy_that_does_not_continue_the_stream_adds_nothing(
    content: bytes | None, copy: Path, tmp_path: Path
) -> None:
    stream = EndingStream(b"entering S5\n")
    opened = open_console(stream)
    if content is None:
        copy.unlink()
    else:
        copy.write_bytes(content)
    assert whole_output(stream, opened, tmp_path / "console.log") == b"entering S5\n"
