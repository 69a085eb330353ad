"""The serial console and its shell over a socket pair, with a scripted guest at the other end."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import Mock

import pytest

from harness.channels import console as console_module
from harness.channels.base import CommandTimeoutError
from harness.channels.console import Console, ConsoleExpect
from harness.channels.console_login import LOGIN_PROMPT, LoginRefused
from harness.channels.console_shell import ConsoleShell
from harness.errors import ChannelError, GuestCrashed, GuestTimeout
from harness.waiting import Deadline
from tests.fakes.console_guest import ConsoleGuest, Wording

PASSWORD = "right"


@pytest.fixture
def wording() -> Wording:
    return Wording()


@pytest.fixture
def line(tmp_path: Path) -> Iterator[tuple[Console, socket.socket]]:
    """A console with nobody at its other end but the test."""
    local, remote = socket.socketpair()
    console = Console(local, tmp_path / "console.log")
    yield console, remote
    console.close()
    remote.close()


@pytest.fixture
def ends(tmp_path: Path, wording: Wording) -> Iterator[tuple[Console, ConsoleGuest]]:
    local, remote = socket.socketpair()
    console = Console(local, tmp_path / "console.log")
    guest = ConsoleGuest(remote, tmp_path, wording)
    yield console, guest
    console.close()
    guest.hang_up()
    remote.close()


def logged_in(console: Console) -> ConsoleShell:
    shell = ConsoleShell(console)
    shell.log_in("guestcert", PASSWORD, Deadline(10))
    return shell


def test_a_shell_runs_commands_and_reads_their_status(ends: tuple[Console, ConsoleGuest]) -> None:
    shell = logged_in(ends[0])
    assert shell.run(["echo", "hello"], timeout=10).text.strip() == "hello"
    assert shell.run(["false"], timeout=10).exit_status == 1
    assert shell.run(["true"], timeout=10).exit_status == 0


KERNEL = b"[   41.007392] virtio_net: a word that ends-with-12-\r\n"
UNSTAMPED = b"e1000: eth0 NIC Link is Up\r\n"
SYSTEMD = b"[  OK  ] Finished \x1b[0;1;39mcloud-final.service\x1b[0m - Execute final scripts.\r\n"
CLOUD_INIT = b"ci-info: +++Authorized keys+++\r\n"
OTHERS = [KERNEL, UNSTAMPED, UNSTAMPED.rstrip(), SYSTEMD, CLOUD_INIT, SYSTEMD * 3]
ANSWER_LINE = rb"(?m)^[0-9a-f]{16}-1-"
ANSWER_END = rb"(?m)^[0-9a-f]{16}-\d+-[0-9a-f]{8}"
HELLO = b"aGVsbG8"


@pytest.mark.parametrize(
    "interruptions",
    [
        [(ANSWER_LINE, KERNEL)],
        [(ANSWER_LINE, b"7")],
        [(HELLO[:3], KERNEL)],
        [(HELLO[:3], KERNEL * 3)],
        [(HELLO[:4], b"abcd")],
        [(ANSWER_END, KERNEL)],
        [(ANSWER_END, b"[    0.512345][    T1] with its caller\r\n")],
        [(ANSWER_END, CLOUD_INIT)],
        [(ANSWER_END, SYSTEMD)] * 3,
        [(HELLO[:3], SYSTEMD), (ANSWER_LINE, UNSTAMPED), (HELLO[:4], KERNEL)],
    ],
)
def test_others_who_speak_on_the_console_change_no_answer(
    ends: tuple[Console, ConsoleGuest], interruptions: list[tuple[bytes, bytes]]
) -> None:
    console, guest = ends
    shell = logged_in(console)
    guest.interruptions += interruptions
    result = shell.run(["echo", "hello"], timeout=20)
    assert (result.output, result.exit_status) == (b"hello\n", 0)
    assert guest.interruptions == []


@pytest.mark.parametrize(
    ("behind", "others"),
    [
        *((rb"host login: ", others) for others in OTHERS),
        (rb"Password: ", SYSTEMD),
        (rb"Password: ", UNSTAMPED.rstrip()),
        (rb"host:~\$ ", KERNEL),
        (rb"host:~\$ ", UNSTAMPED.rstrip()),
        (rb"guestcert", CLOUD_INIT),
    ],
)
def test_others_who_speak_behind_a_prompt_do_not_hide_it(
    ends: tuple[Console, ConsoleGuest], behind: bytes, others: bytes
) -> None:
    console, guest = ends
    guest.interruptions.append((behind, others))
    shell = ConsoleShell(console)
    shell.log_in("guestcert", PASSWORD, Deadline(10))
    assert shell.run(["echo", "hello"], timeout=10).output == b"hello\n"
    assert guest.interruptions == []


LANGUAGES = [
    Wording(asks="Passwort: ", again="host Anmeldung: ", refusal="Anmeldung fehlgeschlagen"),
    Wording(asks="Mot de passe : ", again="Identifiant : ", refusal="Identifiant incorrect"),
    Wording(asks="Contrase\u00f1a: ", refusal="Nombre de usuario incorrecto"),
    Wording(asks="\u30d1\u30b9\u30ef\u30fc\u30c9: ", refusal="\u8aa4\u308a"),
    Wording(asks="\u5bc6\u7801\uff1a", again="\u767b\u5f55\uff1a", shell_prompt="\u276f "),
    Wording(shell_prompt="user@host:"),
    Wording(shell_prompt=""),
]


@pytest.mark.parametrize("wording", LANGUAGES, ids=str)
def test_a_login_in_another_language_takes_the_right_password_alone(
    ends: tuple[Console, ConsoleGuest],
) -> None:
    shell = ConsoleShell(ends[0])
    with pytest.raises(LoginRefused):
        shell.log_in("guestcert", "wrong", Deadline(10))
    shell.log_in("guestcert", PASSWORD, Deadline(10))
    assert shell.run(["echo", "hello"], timeout=10).output == b"hello\n"


def test_a_refusal_is_seen_behind_others_who_speak(ends: tuple[Console, ConsoleGuest]) -> None:
    console, guest = ends
    guest.interruptions += [(rb"Password: ", SYSTEMD), (rb"incorrect", KERNEL)]
    with pytest.raises(LoginRefused):
        ConsoleShell(console).log_in("guestcert", "wrong", Deadline(10))
    assert guest.interruptions == []


def test_a_shell_that_someone_left_is_left_for_a_login(ends: tuple[Console, ConsoleGuest]) -> None:
    logged_in(ends[0])
    with pytest.raises(LoginRefused):
        ConsoleShell(ends[0]).log_in("guestcert", "wrong", Deadline(10))
    assert logged_in(ends[0]).run(["true"], timeout=10).exit_status == 0


def test_a_login_that_someone_left_at_the_password_is_begun_again(
    ends: tuple[Console, ConsoleGuest],
) -> None:
    console, _ = ends
    console.send(b"someone\r")
    ConsoleExpect(console, 0).await_any(["Password"], awaited="it", deadline=Deadline(10))
    assert logged_in(console).run(["true"], timeout=10).exit_status == 0


def test_both_streams_arrive_apart(ends: tuple[Console, ConsoleGuest]) -> None:
    script = "echo out; echo err >&2; exit 3"
    result = logged_in(ends[0]).run(["sh", "-c", script], timeout=10)
    assert (result.output, result.errors, result.exit_status) == (b"out\n", b"err\n", 3)


def test_a_command_has_its_input_and_its_environment(ends: tuple[Console, ConsoleGuest]) -> None:
    given = bytes(range(256)) * 40
    shell = logged_in(ends[0])
    assert shell.run(["cat"], stdin=given, timeout=20).output == given
    script = 'echo "$NAME" "$LC_ALL"; cat'
    result = shell.run(["sh", "-c", script], environment={"NAME": "a \t'b'"}, timeout=10)
    assert result.output == b"a \t'b' C\n"


def test_a_command_that_takes_too_long_is_interrupted(ends: tuple[Console, ConsoleGuest]) -> None:
    shell = logged_in(ends[0])
    with pytest.raises(CommandTimeoutError, match="waited 1 s for `sudo -n env LC_ALL=C sleep 99`"):
        shell.run(["sleep", "99"], timeout=1)
    assert shell.logged_in
    assert shell.run(["echo", "hello"], timeout=10).output == b"hello\n"


def test_a_mebibyte_arrives_whole_in_linear_work(ends: tuple[Console, ConsoleGuest]) -> None:
    console, guest = ends
    shell = logged_in(console)
    guest.interruptions += [(rb"-9-.", KERNEL), (rb"-5000-.", SYSTEMD), (ANSWER_END, UNSTAMPED)]
    before = console.position
    result = shell.run(["head", "-c", "1048576", "/dev/zero"], timeout=60)
    assert result.output == bytes(1024 * 1024)
    assert console.position - before < 4 * 4 * 1024 * 1024, "it was asked for again and again"


def test_an_answer_may_be_any_bytes(ends: tuple[Console, ConsoleGuest]) -> None:
    reported = r"\000\377 end- [    1.000000] x\r\n\n"
    result = logged_in(ends[0]).run(["printf", reported], timeout=10)
    assert result.output == b"\x00\xff end- [    1.000000] x\r\n\n"


def test_a_guest_without_base64_is_told(ends: tuple[Console, ConsoleGuest]) -> None:
    shell = logged_in(ends[0])
    ends[0].send(b"base64() { echo no such program >&2; }\r")
    with pytest.raises(
        ChannelError, match="reported no exit status of `sudo -n env LC_ALL=C true`"
    ):
        shell.run(["true"], timeout=10)


def test_a_wrong_password_is_refused(ends: tuple[Console, ConsoleGuest]) -> None:
    with pytest.raises(LoginRefused):
        ConsoleShell(ends[0]).log_in("guestcert", "wrong", Deadline(10))


def test_after_a_refusal_the_right_password_still_works(
    ends: tuple[Console, ConsoleGuest],
) -> None:
    shell = ConsoleShell(ends[0])
    with pytest.raises(LoginRefused):
        shell.log_in("guestcert", "wrong", Deadline(10))
    shell.log_in("guestcert", PASSWORD, Deadline(10))
    assert shell.run(["true"], timeout=10).exit_status == 0


def test_after_logging_out_a_login_prompt_is_there(ends: tuple[Console, ConsoleGuest]) -> None:
    shell = logged_in(ends[0])
    position = ends[0].position
    shell.log_out(Deadline(10))
    assert b"login:" in ends[0].since(position)
    with pytest.raises(ChannelError, match="not logged in"):
        shell.run(["true"], timeout=1)


def test_a_line_that_a_terminal_would_cut_is_typed_in_pieces(
    ends: tuple[Console, ConsoleGuest],
) -> None:
    result = logged_in(ends[0]).run(["echo", "x" * 10000], timeout=20)
    assert result.output == b"x" * 10000 + b"\n"


def test_everything_said_is_in_the_log(ends: tuple[Console, ConsoleGuest], tmp_path: Path) -> None:
    console, guest = ends
    guest.print_raw(b"before anyone waits\r\n")
    ConsoleExpect(console, 0).await_any(["waits"], awaited="it", deadline=Deadline(10))
    console.close()
    assert b"before anyone waits\r\n" in (tmp_path / "console.log").read_bytes()


def test_only_so_much_is_kept_and_logged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console_module, "KEPT_IN_MEMORY", 10)
    monkeypatch.setattr(console_module, "LOG_LIMIT", 100)
    monkeypatch.setattr(console_module, "LOG_REMAINDER", 20)
    local, remote = socket.socketpair()
    console = Console(local, tmp_path / "log")
    for _ in range(100):
        before = console.position
        remote.sendall(b"x" * 19 + b"\n")
        console.read_after(before, 10)
    assert len(console.since(0)) == 10
    remote.sendall(b"what came after the flood\n")
    console.read_after(console.position, 10)
    console.close()
    remote.close()
    log = (tmp_path / "log").read_bytes()
    assert len(log) <= 100
    assert log.endswith(b"what came after the flood\n"), "the newest is kept, also after a flood"


def test_a_reader_that_is_behind_goes_on_at_the_oldest_that_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console_module, "KEPT_IN_MEMORY", 10)
    local, remote = socket.socketpair()
    console = Console(local, tmp_path / "log")
    remote.sendall(bytes(range(100)))
    remote.close()
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
    line: tuple[Console, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    console, guest = line
    flood = 8 * 1024 * 1024
    pattern = CountingPattern(re.compile(b"the mark"))
    monkeypatch.setattr(console_module, "re", Mock(compile=lambda _: pattern, Match=re.Match))
    waiting = ConsoleExpect(console, 0)
    guest.sendall(b"x" * flood + b"the mark")
    match = waiting.await_any(["the mark"], awaited="it", deadline=Deadline(60))
    assert match.group(0) == b"the mark"
    assert pattern.scanned <= 4 * flood
    assert len(waiting.before or b"") <= flood


def test_a_wait_without_an_end_keeps_no_flood(line: tuple[Console, socket.socket]) -> None:
    console, guest = line
    waiting = ConsoleExpect(console, 0)
    guest.sendall(b"x" * 100_000)
    with pytest.raises(GuestTimeout):
        waiting.await_any(["the mark"], awaited="it", deadline=Deadline(2.5))
    assert len(waiting.before or b"") <= 2 * console_module.READ_SIZE
    guest.sendall(b"the mark")
    match = waiting.await_any(["the mark"], awaited="it", deadline=Deadline(10))
    assert match.group(0) == b"the mark"


def test_a_mark_in_two_pieces_is_found_after_a_pause(line: tuple[Console, socket.socket]) -> None:
    console, guest = line
    waiting = ConsoleExpect(console, 0)
    guest.sendall(b"the ma")
    with pytest.raises(GuestTimeout):
        waiting.await_any(["the mark"], awaited="it", deadline=Deadline(1.5))
    guest.sendall(b"rk")
    match = waiting.await_any(["the mark"], awaited="it", deadline=Deadline(10))
    assert match.group(0) == b"the mark"


def test_a_wait_tells_what_was_last_seen(ends: tuple[Console, ConsoleGuest]) -> None:
    console, guest = ends
    guest.print_raw(b"first\r\nloading\r\n")
    with pytest.raises(GuestTimeout, match="for the prompt on the serial console, last saw"):
        ConsoleExpect(console, 0).await_any(
            ["nothing like it"], awaited="the prompt", deadline=Deadline(0.2)
        )


def test_a_closed_console_ends_the_wait_at_once(ends: tuple[Console, ConsoleGuest]) -> None:
    console, guest = ends
    guest.hang_up()
    with pytest.raises(GuestTimeout, match="the console is closed"):
        ConsoleExpect(console, 0).await_any(["x"], awaited="it", deadline=Deadline(60))


def test_a_watch_ends_the_wait(ends: tuple[Console, ConsoleGuest]) -> None:
    def watch() -> None:
        raise GuestCrashed("panic")

    with pytest.raises(GuestCrashed):
        ConsoleExpect(ends[0], 0).await_any(
            ["x"], awaited="it", deadline=Deadline(60), watches=[watch]
        )


def test_bytes_that_are_no_text_do_no_harm(ends: tuple[Console, ConsoleGuest]) -> None:
    console, guest = ends
    guest.print_raw(b"\xff\xfe\x00\x1b]0;title\x07 mark\r\n")
    match = ConsoleExpect(console, 0).await_any(["mark"], awaited="it", deadline=Deadline(10))
    assert match.group(0) == b"mark"


@pytest.mark.parametrize("others", [b"", *OTHERS])
def test_nobody_hides_the_login_prompt(others: bytes) -> None:
    assert re.search(LOGIN_PROMPT.encode(), b"\r\nhost login: " + others)
    assert not re.search(LOGIN_PROMPT.encode(), b"\r\nLast login: Tue Nov 24 on ttyS0\r\n" + others)
