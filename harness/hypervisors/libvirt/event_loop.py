"""libvirt's event loop in a separate thread, and the machines' events from it."""

from __future__ import annotations

import threading
from collections import defaultdict
from typing import Any

import libvirt

from harness.events import EventKind, EventLog

LIFECYCLE = {
    libvirt.VIR_DOMAIN_EVENT_STARTED: EventKind.STARTED,
    libvirt.VIR_DOMAIN_EVENT_SUSPENDED: EventKind.PAUSED,
    libvirt.VIR_DOMAIN_EVENT_RESUMED: EventKind.RESUMED,
    libvirt.VIR_DOMAIN_EVENT_STOPPED: EventKind.STOPPED,
    libvirt.VIR_DOMAIN_EVENT_SHUTDOWN: EventKind.SHUTDOWN,
    libvirt.VIR_DOMAIN_EVENT_CRASHED: EventKind.CRASHED,
    libvirt.VIR_DOMAIN_EVENT_PMSUSPENDED: EventKind.ASLEEP,
}

STOPPED_DETAIL = {
    libvirt.VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN: "shutdown",
    libvirt.VIR_DOMAIN_EVENT_STOPPED_DESTROYED: "destroyed",
    libvirt.VIR_DOMAIN_EVENT_STOPPED_CRASHED: "crashed",
    libvirt.VIR_DOMAIN_EVENT_STOPPED_SAVED: "saved",
    libvirt.VIR_DOMAIN_EVENT_STOPPED_FAILED: "failed",
}

_started = threading.Event()
_starting = threading.Lock()


def ensure_event_loop() -> None:
    """Start libvirt's event loop once in this process; call before the first connection."""
    with _starting:
        if _started.is_set():
            return
        libvirt.virEventRegisterDefaultImpl()
        libvirt.registerErrorHandler(lambda _context, _error: None, None)
        threading.Thread(target=_run, name="libvirt events", daemon=True).start()
        _started.set()


def _run() -> None:
    # A periodic timer keeps the loop running while nothing else happens.
    libvirt.virEventAddTimeout(500, lambda _timer, _opaque: None, None)
    while True:
        libvirt.virEventRunDefaultImpl()


class EventHub:
    """Distributes a connection's events to one EventLog for each machine name."""

    def __init__(self, connection: libvirt.virConnect) -> None:
        self._connection = connection
        self._logs: defaultdict[str, EventLog] = defaultdict(EventLog)
        self._callbacks = [
            connection.domainEventRegisterAny(None, identifier, callback, None)
            for identifier, callback in (
                (libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE, self._lifecycle),
                (libvirt.VIR_DOMAIN_EVENT_ID_REBOOT, self._reboot),
                (libvirt.VIR_DOMAIN_EVENT_ID_WATCHDOG, self._watchdog),
                (libvirt.VIR_DOMAIN_EVENT_ID_AGENT_LIFECYCLE, self._agent),
                (libvirt.VIR_DOMAIN_EVENT_ID_PMWAKEUP, self._awake),
            )
        ]

    def log_of(self, name: str) -> EventLog:
        """The log of the machines of one name, across re-creations."""
        return self._logs[name]

    def close(self) -> None:
        """Unsubscribe from events."""
        for callback in self._callbacks:
            self._connection.domainEventDeregisterAny(callback)

    def _lifecycle(
        self, _c: libvirt.virConnect, domain: libvirt.virDomain, event: int, detail: int, _o: Any
    ) -> None:
        kind = LIFECYCLE.get(event)
        if kind is not None:
            reason = STOPPED_DETAIL.get(detail, str(detail))
            text = reason if kind is EventKind.STOPPED else str(detail)
            self._logs[domain.name()].add(kind, text)

    def _reboot(self, _c: libvirt.virConnect, domain: libvirt.virDomain, _o: Any) -> None:
        self._logs[domain.name()].add(EventKind.REBOOT)

    def _watchdog(
        self, _c: libvirt.virConnect, domain: libvirt.virDomain, action: int, _o: Any
    ) -> None:
        self._logs[domain.name()].add(EventKind.WATCHDOG, str(action))

    def _awake(
        self, _c: libvirt.virConnect, domain: libvirt.virDomain, _reason: int, _o: Any
    ) -> None:
        self._logs[domain.name()].add(EventKind.AWAKE)

    def _agent(
        self, _c: libvirt.virConnect, domain: libvirt.virDomain, state: int, reason: int, _o: Any
    ) -> None:
        connected = state == libvirt.VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_STATE_CONNECTED
        kind = EventKind.AGENT_CONNECTED if connected else EventKind.AGENT_DISCONNECTED
        self._logs[domain.name()].add(kind, str(reason))
