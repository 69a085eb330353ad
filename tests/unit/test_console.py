"""The serial console and its shell over a socket pair, with a scripted guest at the other end."""

from __future__ import annotations

import contextlib
import re
import socket
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import Mock

import pytest

from harness.channels import console as console_module
from harness.channels.console import Console, ConsoleExpect
from harness.channels.console_shell import LOGIN_PROMPT, ConsoleShell, LoginRefused
from harness.errors import ChannelError, GuestCrashed, GuestTimeout
from harness.waiting import Deadline

PASSWORD = "right"


SUDO = b'sudo() { shift; "$@"; }\n'


class ScriptedGuest:
    """A scripted login, and a real shell after it, spoken as a terminal does."""

    def __init__(self, stream: socket.socket) -> None:
        self._stream = stream
        self.interruptions: list[tuple[bytes, bytes]] = []
        """Whom to interrupt where, and with what: each once, in this order."""
        self._shell = subprocess.Popen(
            ["sh"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self._type(SUDO)
        self._speaker = threading.Thread(target=self._speak, daemon=True)
        self._speaker.start()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def say(self, text: bytes) -> None:
        self._stream.sendall(text)

    def hang_up(self) -> None:
        """End the line, and see that nobody reads from it any more."""
        with contextlib.suppress(OSError):
            self._stream.shutdown(socket.SHUT_RDWR)
        self._thread.join(timeout=10)
        self._shell.terminate()
        self._speaker.join(timeout=10)  # before its pipe is closed under it
        with self._shell:
            pass

    def _lines(self) -> Iterator[str]:
        buffer = b""
        while data := self._stream.recv(4096):  # none once it has hung up
            buffer += data
            while b"\r" in buffer:
                line, _, buffer = buffer.partition(b"\r")
                yield line.decode()

    def _serve(self) -> None:
        state, user = "login", ""
        for line in self._lines():
            if state == "login" and not line:
                self.say(b"\r\nhost login: ")
            elif state in ("login", "login again"):  # an empty name is a name, the second time
                user, state = line, "password"
                self.say(line.encode() + b"\r\nPassword: ")
            elif state == "password" and line == PASSWORD:
                state = "shell"
                self.say(b"\r\nWelcome " + user.encode() + b"\r\n\x1b[?2004hu@host:~$ ")
            elif state == "password":
                state = "login again"
                self.say(b"\r\nLogin incorrect\r\nhost login: ")
            elif line == "exit":
                state = "login"
                self.say(b"\r\nhost login: ")
            else:
                self._type(line.encode() + b"\n")

    def _type(self, line: bytes) -> None:
        assert self._shell.stdin is not None
        self._shell.stdin.write(line)
        self._shell.stdin.flush()

    def _speak(self) -> None:
        assert self._shell.stdout is not None
        for line in self._shell.stdout:
            said = line.replace(b"\n", b"\r\n")
            if self.interruptions:
                where, others = self.interruptions.pop(0)
                assert where in said
                said = said.replace(where, where + others, 1)
            with contextlib.suppress(OSError):  # the line may have been hung up
                self.say(said)


@pytest.fixture
def ends(tmp_path: Path) -> Iterator[tuple[Console, ScriptedGuest]]:
    ours, theirs = socket.socketpair()
    console = Console(ours, tmp_path / "console.log")
    guest = ScriptedGuest(theirs)
    yield console, guest
    console.close()
    guest.hang_up()
    theirs.close()


def logged_in(console: Console) -> ConsoleShell:
    shell = ConsoleShell(console)
    shell.log_in("guestcert", PASSWORD, Deadline(10))
    return shell


def test_a_shell_runs_commands_and_reads_their_status(ends: tuple[Console, ScriptedGuest]) -> None:
    shell = logged_in(ends[0])
    assert shell.run(["echo", "hello"], timeout=10).text.strip() == "hello"
    assert shell.run(["false"], timeout=10).exit_status == 1
    assert shell.run(["true"], timeout=10).exit_status == 0


KERNEL = b"[   41.007392] virtio_net: a word that ends-with-12-\r\n"
SYSTEMD = b"[  OK  ] Reached target\r\n"
HELLO = b"aGVsbG8"


@pytest.mark.parametrize(
    "interruptions",
    [
        [(b"beg", KERNEL)],
        [(b"-", KERNEL)],
        [(HELLO[:3], KERNEL)],
        [(HELLO[:3], KERNEL * 3)],
        [(b"-e", KERNEL)],
        [(b"-end-", KERNEL)],
        [(b"-e", b"[    0.512345][    T1] with its caller\r\n")],
        [(HELLO[:3], SYSTEMD)],
        [(HELLO[:4], b"abcd")],
        [(HELLO[:3], SYSTEMD), (b"beg", SYSTEMD), (HELLO[:4], KERNEL)],
    ],
)
def test_others_who_speak_on_the_console_change_no_answer(
    ends: tuple[Console, ScriptedGuest], interruptions: list[tuple[bytes, bytes]]
) -> None:
    console, guest = ends
    shell = logged_in(console)
    guest.interruptions += interruptions
    result = shell.run(["echo", "hello"], timeout=10)
    assert (result.output, result.exit_status) == (b"hello\n", 0)
    assert guest.interruptions == []


def test_an_answer_may_be_any_bytes(ends: tuple[Console, ScriptedGuest]) -> None:
    told = r"\000\377 end- [    1.000000] x\r\n\n"
    result = logged_in(ends[0]).run(["printf", told], timeout=10)
    assert result.output == b"\x00\xff end- [    1.000000] x\r\n\n"


def test_a_guest_without_base64_is_told(ends: tuple[Console, ScriptedGuest]) -> None:
    shell = logged_in(ends[0])
    ends[0].send(b"base64() { echo no such program >&2; }\r")
    with pytest.raises(ChannelError, match="told no exit status of `sudo -n env true`"):
        shell.run(["true"], timeout=10)


def test_a_wrong_password_is_refused(ends: tuple[Console, ScriptedGuest]) -> None:
    with pytest.raises(LoginRefused):
        ConsoleShell(ends[0]).log_in("guestcert", "wrong", Deadline(10))


def test_after_a_refusal_the_right_password_still_works(
    ends: tuple[Console, ScriptedGuest],
) -> None:
    shell = ConsoleShell(ends[0])
    with pytest.raises(LoginRefused):
        shell.log_in("guestcert", "wrong", Deadline(10))
    shell.log_in("guestcert", PASSWORD, Deadline(10))
    assert shell.run(["true"], timeout=10).exit_status == 0


def test_after_logging_out_a_login_prompt_is_there(ends: tuple[Console, ScriptedGuest]) -> None:
    shell = logged_in(ends[0])
    position = ends[0].position
    shell.log_out(Deadline(10))
    assert b"login:" in ends[0].since(position)
    with pytest.raises(ChannelError, match="not logged in"):
        shell.run(["true"], timeout=1)


def test_a_line_that_a_terminal_would_cut_is_not_typed(ends: tuple[Console, ScriptedGuest]) -> None:
    with pytest.raises(ChannelError, match="bytes a line"):
        logged_in(ends[0]).run(["echo", "x" * 5000], timeout=10)


def test_everything_said_is_in_the_log(ends: tuple[Console, ScriptedGuest], tmp_path: Path) -> None:
    console, guest = ends
    guest.say(b"before anyone waits\r\n")
    console.read_after(0, 10)
    console.close()
    assert (tmp_path / "console.log").read_bytes() == b"before anyone waits\r\n"


def test_only_so_much_is_kept_and_logged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console_module, "KEPT_IN_MEMORY", 10)
    monkeypatch.setattr(console_module, "LOG_LIMIT", 100)
    monkeypatch.setattr(console_module, "LOG_REMAINDER", 20)
    ours, theirs = socket.socketpair()
    console = Console(ours, tmp_path / "log")
    for _ in range(100):
        before = console.position
        theirs.sendall(b"x" * 19 + b"\n")
        console.read_after(before, 10)
    assert len(console.since(0)) == 10
    theirs.sendall(b"what came after the flood\n")
    console.read_after(console.position, 10)
    console.close()
    theirs.close()
    log = (tmp_path / "log").read_bytes()
    assert len(log) <= 100
    assert log.endswith(b"what came after the flood\n"), "the newest is kept, also after a flood"


def test_a_reader_that_is_behind_goes_on_at_the_oldest_that_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console_module, "KEPT_IN_MEMORY", 10)
    ours, theirs = socket.socketpair()
    console = Console(ours, tmp_path / "log")
    theirs.sendall(bytes(range(100)))
    theirs.close()
    console.close()
    first = console.read_after(0, 10, size=4)
    second = console.read_after(first.end, 10)
    assert (first.data, second.data) == (bytes(range(90, 94)), bytes(range(94, 100)))
    assert second.end == console.position == 100


@dataclass
class CountingPattern:
    """A pattern that notes how many bytes it was searched for in."""

    regex: re.Pattern[bytes]
    scanned: int = 0

    def search(self, buffer: bytes, start: int) -> re.Match[bytes] | None:
        self.scanned += len(buffer) - start
        return self.regex.search(buffer, start)


def test_a_wait_scans_a_flood_in_linear_work(
    ends: tuple[Console, ScriptedGuest], monkeypatch: pytest.MonkeyPatch
) -> None:
    console, guest = ends
    flood = 8 * 1024 * 1024
    pattern = CountingPattern(re.compile(b"the mark"))
    monkeypatch.setattr(console_module, "re", Mock(compile=lambda _: pattern, Match=re.Match))
    waiting = ConsoleExpect(console, 0)
    guest.say(b"x" * flood + b"the mark")
    match = waiting.await_any(["the mark"], awaited="it", deadline=Deadline(60))
    assert match.group(0) == b"the mark"
    assert pattern.scanned <= 4 * flood
    assert len(waiting.before or b"") <= flood


def test_a_wait_without_an_end_keeps_no_flood(ends: tuple[Console, ScriptedGuest]) -> None:
    console, guest = ends
    waiting = ConsoleExpect(console, 0)
    guest.say(b"x" * 100_000)
    with pytest.raises(GuestTimeout):
        waiting.await_any(["the mark"], awaited="it", deadline=Deadline(2.5))
    assert len(waiting.before or b"") <= 2 * console_module.READ_SIZE
    guest.say(b"the mark")
    match = waiting.await_any(["the mark"], awaited="it", deadline=Deadline(10))
    assert match.group(0) == b"the mark"


def test_a_mark_in_two_pieces_is_found_after_a_pause(ends: tuple[Console, ScriptedGuest]) -> None:
    console, guest = ends
    waiting = ConsoleExpect(console, 0)
    guest.say(b"the ma")
    with pytest.raises(GuestTimeout):
        waiting.await_any(["the mark"], awaited="it", deadline=Deadline(1.5))
    guest.say(b"rk")
    match = waiting.await_any(["the mark"], awaited="it", deadline=Deadline(10))
    assert match.group(0) == b"the mark"


def test_a_wait_tells_what_was_last_seen(ends: tuple[Console, ScriptedGuest]) -> None:
    console, guest = ends
    guest.say(b"first\r\nloading\r\n")
    with pytest.raises(GuestTimeout, match="for the prompt on the serial console, last saw"):
        ConsoleExpect(console, 0).await_any(
            ["nothing like it"], awaited="the prompt", deadline=Deadline(0.2)
        )


def test_a_closed_console_ends_the_wait_at_once(ends: tuple[Console, ScriptedGuest]) -> None:
    console, guest = ends
    guest.hang_up()
    with pytest.raises(GuestTimeout, match="the console is closed"):
        ConsoleExpect(console, 0).await_any(["x"], awaited="it", deadline=Deadline(60))


def test_a_watch_ends_the_wait(ends: tuple[Console, ScriptedGuest]) -> None:
    def watch() -> None:
        raise GuestCrashed("panic")

    with pytest.raises(GuestCrashed):
        ConsoleExpect(ends[0], 0).await_any(
            ["x"], awaited="it", deadline=Deadline(60), watches=[watch]
        )


def test_bytes_that_are_no_text_do_no_harm(ends: tuple[Console, ScriptedGuest]) -> None:
    console, guest = ends
    guest.say(b"\xff\xfe\x00\x1b]0;title\x07 mark\r\n")
    match = ConsoleExpect(console, 0).await_any(["mark"], awaited="it", deadline=Deadline(10))
    assert match.group(0) == b"mark"


@pytest.mark.parametrize(
    ("said", "prompts"),
    [
        ("\r\nhost login: ", True),
        ("\r\nhost login: [   82.694258] powernow_k8: not supported\r\n", True),
        ("\r\nLast login: Tue Nov 24 on ttyS0\r\n", False),
        ("\r\nhost login: guestcert\r\n", False),
    ],
)
def test_a_kernel_message_does_not_hide_the_login_prompt(said: str, prompts: bool) -> None:
    assert (re.search(LOGIN_PROMPT, said.replace("\r", "")) is not None) is prompts
