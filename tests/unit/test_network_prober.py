"""The prober that is carried into guests, run here over the loopback interface."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from harness.workloads.programs import network_prober

PROBER = network_prober.__file__


def event_in(line: str) -> str:
    """The event that one line of output reports."""
    return str(json.loads(line)["event"])


@contextmanager
def listening(kind: str, seconds: str = "20") -> Iterator[subprocess.Popen[str]]:
    """A listener for the word `mark`, once it is ready."""
    with subprocess.Popen(
        [sys.executable, PROBER, "listen", kind, seconds, "lo", "mark"],
        stdout=subprocess.PIPE,
        text=True,
    ) as listener:
        assert listener.stdout is not None
        assert event_in(listener.stdout.readline()) == "ready"
        yield listener


def send(kind: str, target: str, word: str) -> str:
    done = subprocess.run(
        [sys.executable, PROBER, "send", kind, "lo", target, word],
        capture_output=True,
        text=True,
        check=True,
    )
    return event_in(done.stdout)


def rest(listener: subprocess.Popen[str]) -> str:
    assert listener.stdout is not None
    return event_in(listener.stdout.read())


@pytest.mark.parametrize("kind", ["udp", "tcp"])
def test_the_word_is_heard(kind: str) -> None:
    with listening(kind) as listener:
        assert send(kind, "127.0.0.1", "mark") == "sent"
        assert rest(listener) == "received"


def test_another_word_is_silence() -> None:
    with listening("udp", "2") as listener:
        assert send("udp", "127.0.0.1", "other") == "sent"
        assert rest(listener) == "timeout"


def test_a_listener_that_is_told_to_end_says_that_it_heard_nothing() -> None:
    with listening("udp") as listener:
        listener.send_signal(signal.SIGTERM)
        assert rest(listener) == "timeout"


@pytest.mark.parametrize("kind", ["udp", "tcp"])
def test_what_arrived_before_it_was_told_to_end_is_heard(kind: str) -> None:
    with listening(kind) as listener:
        listener.send_signal(signal.SIGSTOP)
        assert send(kind, "127.0.0.1", "mark") == "sent"
        listener.send_signal(signal.SIGTERM)
        listener.send_signal(signal.SIGCONT)
        assert rest(listener) == "received"


def test_a_sender_whose_target_is_not_there_ends() -> None:
    assert send("udp", "256.0.0.1", "mark") == "sent"


def test_an_arp_request_asks_for_the_target() -> None:
    own = bytes.fromhex("525400000001")
    frame = network_prober._frame("arp", own, "10.0.0.2", b"mark")
    assert frame.startswith(b"\xff" * 6 + own + b"\x08\x06")
    assert socket.inet_aton("10.0.0.2") in frame
    assert frame.endswith(b"mark")


def test_an_echo_request_has_sound_checksums() -> None:
    frame = network_prober._frame("icmp", b"\0" * 6, "10.0.0.2", b"mark")
    header, echo = frame[14:34], frame[34:]
    assert network_prober._checksum(header) == 0
    assert network_prober._checksum(echo) == 0
