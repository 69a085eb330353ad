"""The log of events: nothing that happens between an act and its wait is missed."""

from __future__ import annotations

import threading

import pytest

from harness.errors import GuestCrashed, GuestTimeout
from harness.events import EventKind, EventLog
from harness.waiting import Deadline, JumpingClock


def test_an_event_between_act_and_wait_is_found() -> None:
    log = EventLog(JumpingClock())
    since = log.mark()
    log.add(EventKind.STOPPED, "shutdown")
    event = log.wait(
        lambda e: e.kind is EventKind.STOPPED,
        awaited="the end",
        since=since,
        deadline=Deadline(1, log.clock),
    )
    assert event.detail == "shutdown"


def test_what_happened_before_the_mark_does_not_count() -> None:
    log = EventLog(JumpingClock())
    log.add(EventKind.STOPPED)
    log.add(EventKind.STARTED)
    since = log.mark()
    log.add(EventKind.PAUSED)
    with pytest.raises(GuestTimeout, match="waited 2 s for the end, last saw paused"):
        log.wait(
            lambda e: e.kind is EventKind.STOPPED,
            awaited="the end",
            since=since,
            deadline=Deadline(2, log.clock),
        )
    assert [e.kind for e in log.since(since)] == [EventKind.PAUSED]


def test_a_watch_is_heard_while_nothing_happens() -> None:
    log = EventLog(JumpingClock())
    heard: list[int] = []

    def watch() -> None:
        heard.append(1)
        if len(heard) == 3:
            raise GuestCrashed("panic")

    with pytest.raises(GuestCrashed):
        log.wait(
            lambda _: False,
            awaited="it",
            since=0,
            deadline=Deadline(1000, log.clock),
            watches=[watch],
        )
    assert len(heard) == 3


def test_an_event_of_another_thread_wakes_the_waiter() -> None:
    log = EventLog()
    threading.Timer(0.05, lambda: log.add(EventKind.RESUMED)).start()
    event = log.wait(
        lambda e: e.kind is EventKind.RESUMED, awaited="it", since=0, deadline=Deadline(10)
    )
    assert event.kind is EventKind.RESUMED
