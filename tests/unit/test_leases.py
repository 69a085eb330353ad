"""Leases: what was written is read, and nothing else; who may still be there, and who is gone."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from harness.hypervisors.definitions import Ownership
from harness.hypervisors.leases import (
    LEASE_TERM,
    LONGEST,
    UNRENEWABLE_TERM,
    Lease,
    decode_lease,
    encode_lease,
    lease_for,
    utc_now,
)
from harness.lab import ownership
from harness.lab.ownership import host_id, is_stale, own, process_started
from harness.lab.renewal import RENEWAL_SECONDS

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
WRITTEN = json.loads(encode_lease(lease_for(own("run"), now=NOON)))

OF_ANOTHER_HOST = dataclasses.replace(own("run"), host="another")


def test_what_was_written_is_read_back() -> None:
    lease = lease_for(own("run"), now=NOON)
    assert lease.expires == NOON + LEASE_TERM
    assert decode_lease(encode_lease(lease)) == lease


def test_another_time_zone_is_the_same_moment() -> None:
    elsewhere = NOON.astimezone(timezone(timedelta(hours=5)))
    lease = decode_lease(encode_lease(Lease(own("run"), elsewhere)))
    assert lease == Lease(own("run"), NOON)
    assert lease.expires.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    "changes",
    [
        {"expires": "2026-11-28T12:00:00"},  # in nobody's time zone
        {"expires": "tomorrow"},
        {"expires": "9999-12-31T23:59:59-12:00"},
        {"expires": None},
        {"pid": 0},
        {"pid": -1},
        {"pid": True},
        {"pid": "1"},
        {"pid": 2**31},
        {"run": ""},
        {"run": "r" * 201},
        {"host": 5},
        {"pid_started": ["tick"]},
        {"guestcert_lease": 2},
        {"more": 1},
    ],
)
def test_a_lease_with_a_wrong_field_is_none(changes: dict[str, object]) -> None:
    assert decode_lease(json.dumps(WRITTEN)) is not None, "the control"
    assert decode_lease(json.dumps(WRITTEN | changes)) is None


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "a note of somebody's",
        "[]",
        "null",
        "{}",
        "\0",
        "[" * LONGEST,
        '{"run":' * 250,
        json.dumps(WRITTEN) + " " * LONGEST,
        '{"guestcert": {"run": "run", "pid": 1, "pid_started": "b/1", "expires": "2026-11-28"}}',
    ],
    ids=lambda text: repr(text)[:20],
)
def test_what_is_no_lease_is_none(text: str | None) -> None:
    assert decode_lease(text) is None


def test_a_living_process_of_this_host_keeps_what_it_has_for_ever() -> None:
    lease = lease_for(own("run"))
    assert not is_stale(lease)
    assert not is_stale(lease, utc_now() + timedelta(days=30)), "a lease that nobody renewed"


@pytest.mark.parametrize(
    "changes", [{"pid_started": "another boot/1"}, {"pid": 2**31 - 1}], ids=["reused", "gone"]
)
def test_a_dead_process_of_this_host_keeps_nothing(changes: dict[str, object]) -> None:
    dead = dataclasses.replace(own("run"), **changes)  # type: ignore[arg-type]
    assert is_stale(lease_for(dead)), "whatever its lease says"


def test_of_another_host_the_lease_alone_decides() -> None:
    lease = lease_for(OF_ANOTHER_HOST, now=NOON)
    assert not is_stale(lease, NOON)
    assert not is_stale(lease, NOON + LEASE_TERM)
    assert is_stale(lease, NOON + LEASE_TERM + timedelta(seconds=1))


def test_a_lease_outlasts_many_renewals() -> None:
    assert timedelta(seconds=RENEWAL_SECONDS) * 10 <= LEASE_TERM < UNRENEWABLE_TERM


def test_a_process_that_proc_hides_may_live(monkeypatch: pytest.MonkeyPatch) -> None:
    """With hidepid other users' processes are not in /proc, and yet cannot be signalled."""

    def refuse(_pid: int, _signal: int) -> None:
        raise PermissionError

    dead = dataclasses.replace(own("run"), pid=2**31 - 1)
    monkeypatch.setattr(os, "kill", refuse)
    assert not is_stale(lease_for(dead, now=NOON), NOON)
    assert is_stale(lease_for(dead, now=NOON), NOON + LEASE_TERM * 2)


def test_a_process_is_known_by_its_start() -> None:
    assert process_started(os.getpid()) == process_started(os.getpid())
    with subprocess.Popen(["tail", "-f", "/dev/null"]) as other:
        later = process_started(other.pid)
        other.kill()
    # Not the parent: a process may start in the same tick as the one that it was started by.
    assert later != process_started(1)


def named_again() -> str:
    """The host's name as another process would make it."""
    return host_id.__wrapped__()


def test_hosts_of_one_disk_image_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    before = named_again()
    assert before == named_again() == host_id()
    monkeypatch.setattr(ownership, "_card_addresses", lambda: ["52:54:00:00:00:01"])
    assert named_again() != before
    monkeypatch.undo()
    monkeypatch.setattr(ownership, "_machine_id", lambda: "another")
    assert named_again() != before


@pytest.mark.parametrize("contained", [False, True])
def test_a_host_outlives_its_boots_and_a_container_does_not(
    monkeypatch: pytest.MonkeyPatch, contained: bool
) -> None:
    monkeypatch.setattr(ownership, "_machine_id", lambda: "a machine")
    inode = os.stat("/proc/self/ns/pid").st_ino
    initial = inode + 1 if contained else inode
    monkeypatch.setattr(ownership, "INITIAL_PID_NAMESPACE", initial)
    before = named_again()
    monkeypatch.setattr(ownership, "boot_id", lambda: "another boot")
    assert (named_again() == before) is not contained


IN_A_NAMESPACE = """
import sys
from harness.hypervisors.leases import decode_lease, encode_lease, lease_for
from harness.lab.ownership import is_stale, own

mine = lease_for(own("inside"))
print(encode_lease(mine), flush=True)
others = decode_lease(sys.stdin.readline())
print(is_stale(mine), is_stale(others), flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def contained() -> Iterator[subprocess.Popen[str]]:
    """A process in a PID namespace of its own, as in a container."""
    command = ["unshare", "-pf", "--mount-proc", sys.executable, "-c", IN_A_NAMESPACE]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    ) as process:
        yield process
        process.kill()


def test_two_pid_namespaces_leave_each_other_s_runs_alone(
    contained: subprocess.Popen[str],
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root makes PID namespaces")
    assert contained.stdin is not None
    assert contained.stdout is not None
    theirs = decode_lease(contained.stdout.readline())
    if theirs is None:
        pytest.skip("no PID namespace can be made here")
    mine = lease_for(Ownership("outside", host_id(), os.getpid(), own("").pid_started))
    contained.stdin.write(encode_lease(mine) + "\n")
    contained.stdin.flush()

    assert contained.stdout.readline().split() == ["False", "False"]
    assert theirs.owner.pid < os.getpid(), "its pid means another process here"
    assert not is_stale(theirs)
    assert is_stale(theirs, utc_now() + LEASE_TERM * 2)
