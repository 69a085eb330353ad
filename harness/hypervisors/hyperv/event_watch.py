"""Event watch: a thread polls the host, which holds each call until something happens.

Event ids are those of the log Microsoft-Windows-Hyper-V-Worker-Admin. Hyper-V logs every stop of a
machine except saving, which only the harness does to its machines.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.errors import HypervisorError
from harness.events import EventKind, EventLog
from harness.hypervisors.base import NAME_PREFIX
from harness.hypervisors.hyperv.remoting import CALL_SECONDS, Session

STARTED = {18500}
BY_THE_GUEST = "shutdown"
STOPPED = {
    18502: "destroyed",  # turned off
    18504: BY_THE_GUEST,  # at the shutdown service's request
    18508: BY_THE_GUEST,
    18528: "failed",  # a critical error of the worker process
}
RESET = {18512, 18514, 18515}  # by the host, by the guest, and by the guest as the VM reports it
CRASHED = {
    18539: "triple fault",
    18540: "triple fault",
    18550: "triple fault",
    18560: "triple fault",
    18590: "the guest reported a fatal error",
}

UP = frozenset({"Running", "Paused", "Starting", "Resuming", "Pausing"})
WAIT_MILLISECONDS = 1000
RETRY_SECONDS = 2.0

MachineEvent = tuple[str, EventKind, str]
"""A machine's name, the kind of event, and its detail."""


class Watcher:
    """Distributes the host's events to one EventLog for each machine name."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._logs: defaultdict[str, EventLog] = defaultdict(EventLog)
        self._history = History()
        self._closing = threading.Event()
        self._listening = threading.Event()  # the host has answered once, or refused
        self._trouble: HypervisorError | None = None
        self._thread = threading.Thread(target=self._watch, name="Hyper-V events", daemon=True)

    def log_of(self, name: str) -> EventLog:
        """The log of the machines of one name, across re-creations; the first call starts watching.

        Raises HypervisorError where the host refuses the watch.
        """
        if not self._thread.is_alive() and not self._closing.is_set():
            self._thread.start()
            # From here on every event is seen; earlier ones do not belong to this log.
            self._listening.wait(CALL_SECONDS)
        if self._trouble is not None:
            raise self._trouble
        return self._logs[name]

    def saving(self, name: str) -> None:
        """The machine is about to be saved: its next stop without a log record is the saving."""
        self._history.saving.add(name)

    def close(self) -> None:
        """End the watch, without waiting for a host that does not answer."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join(RETRY_SECONDS + WAIT_MILLISECONDS / 1000)

    def _watch(self) -> None:
        try:
            self._watch_until_closed()
        finally:
            self._session.close()

    def _watch_until_closed(self) -> None:
        known, after = "", -1
        while not self._closing.is_set():
            try:
                answer = self._session(
                    "Watch-Machines",
                    "watching machines",
                    Prefix=NAME_PREFIX,
                    Known=known,
                    After=after,
                    Milliseconds=WAIT_MILLISECONDS,
                )
            except HypervisorError as error:
                # The next log_of raises it; the watch continues when the host is back.
                self._trouble = error
                self._listening.set()
                self._closing.wait(RETRY_SECONDS)
                continue
            self._trouble = None
            for name, kind, detail in self._history.take(answer["states"], answer["events"]):
                self._logs[name].add(kind, detail)
            known, after = ";".join(answer["states"]), answer["last"]
            self._listening.set()


class History:
    """Known states of machines; the difference to the next report gives the events."""

    def __init__(self) -> None:
        self.saving: set[str] = set()
        self._states: dict[str, str] = {}
        self._up: set[str] = set()

    def take(
        self, states: Sequence[str], events: Sequence[Mapping[str, Any]]
    ) -> Iterator[MachineEvent]:
        """Events since the last report, in order."""
        for event in events:
            yield from self._logged(str(event["machine"]), int(event["event"]))
        now = dict(state.split("=", 1) for state in states)
        for name in sorted({*now, *self._states}):
            yield from self._changed(name, self._states.get(name, "Off"), now.get(name))
        self._states = now

    def _logged(self, name: str, event: int) -> Iterator[MachineEvent]:
        if event in STARTED:
            yield from self._came_up(name)
        elif event in STOPPED:
            if STOPPED[event] == BY_THE_GUEST and name in self._up:
                yield name, EventKind.SHUTDOWN, ""
            yield from self._went_down(name, STOPPED[event])
        elif event in RESET:
            yield name, EventKind.REBOOT, ""
        elif event in CRASHED:
            yield name, EventKind.CRASHED, CRASHED[event]

    def _changed(self, name: str, before: str, now: str | None) -> Iterator[MachineEvent]:
        if now is None:
            yield from self._went_down(name, "destroyed")
            self.saving.discard(name)
            return
        if now in UP:
            yield from self._came_up(name)
        if now == "Paused" and before != "Paused":
            yield name, EventKind.PAUSED, ""
        if now == "Running" and before == "Paused":
            yield name, EventKind.RESUMED, ""
        if now in ("Off", "Saved") and name in self.saving:
            yield from self._went_down(name, "saved")
            self.saving.discard(name)

    def _came_up(self, name: str) -> Iterator[MachineEvent]:
        if name not in self._up:
            self._up.add(name)
            yield name, EventKind.STARTED, ""

    def _went_down(self, name: str, detail: str) -> Iterator[MachineEvent]:
        if name in self._up:
            self._up.discard(name)
            yield name, EventKind.STOPPED, detail
