"""What the implementations of a service share, whatever carries it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager

from harness.events import Event
from harness.guests.guest import Guest
from harness.hypervisors.base import MachineState
from harness.hypervisors.capabilities import MachineFacet
from harness.hypervisors.facets.power import PowerRequests
from harness.integration.contract import HeartbeatState, promised
from harness.oracles.reboot import expect_reboot
from harness.waiting import NotYet

SWITCHED_WITHIN = 20
"""Seconds (with KVM) within which a service that was switched off is lost, or answers again."""


class SwitchedService(ABC):
    """A service that can be switched off and on; `title` names it in messages."""

    title: str

    def __init__(self, guest: Guest) -> None:
        self._guest = guest

    @contextmanager
    def disabled(self) -> Iterator[None]:
        """See Service."""
        self._switch(on=False)
        yield
        self._switch(on=True)

    def _switch(self, *, on: bool) -> None:
        self._control(on=on)
        state = "answer" if on else "be lost"
        self._guest.wait_for(
            lambda: self._answers() is on,
            f"{self.title} of {self._guest.name} to {state}",
            seconds=SWITCHED_WITHIN,
        )

    @abstractmethod
    def _answers(self) -> bool:
        """Whether the service's guest side answers now."""

    @abstractmethod
    def _control(self, *, on: bool) -> None:
        """Switch the service on or off, and return."""


class PolledHeartbeat(SwitchedService):
    """A heartbeat that the host polls. See Heartbeat."""

    title = "the heartbeat"

    def state(self) -> HeartbeatState:
        """See Heartbeat."""
        machine = self._guest.machine.state()
        if machine is MachineState.PAUSED:
            return HeartbeatState.PAUSED
        if machine is not MachineState.RUNNING:
            return HeartbeatState.OFF
        return HeartbeatState.OK if self._answers() else HeartbeatState.LOST

    def await_state(self, wanted: HeartbeatState, *, seconds: float) -> None:
        """See Heartbeat."""

        def probe() -> None:
            state = self.state()
            if state is not wanted:
                raise NotYet(f"heartbeat {state}")

        awaited = f"the heartbeat of {self._guest.name} to be {wanted}"
        self._guest.wait_for(probe, awaited, seconds=seconds)

    def await_end(self, *, seconds: float) -> None:
        """See Heartbeat."""

        def probe() -> None:
            state = self.state()
            if state is HeartbeatState.OK:
                raise NotYet(f"heartbeat {state}")

        awaited = f"the heartbeat of {self._guest.name} to end"
        self._guest.wait_for(probe, awaited, seconds=seconds)


class RequestedShutdown(SwitchedService):
    """Shutdown and reboot that the hypervisor requests. See Shutdown."""

    title = "the shutdown service"

    def power_off(
        self, method: MachineFacet[PowerRequests], *, seconds: float | None = None
    ) -> Event:
        """See Shutdown."""
        guest = self._guest
        since = guest.machine.events.mark()
        with promised():
            guest.machine.facet(method).shutdown()
        allowed = guest.profile.budgets.shutdown_seconds if seconds is None else seconds
        return guest.await_off(since, guest.budget(allowed))

    def request(self, method: MachineFacet[PowerRequests]) -> None:
        """See Shutdown."""
        self._guest.machine.facet(method).shutdown()

    def reboot(self, method: MachineFacet[PowerRequests]) -> None:
        """See Shutdown."""

        def trigger() -> None:
            with promised():
                self._guest.machine.facet(method).reboot()

        expect_reboot(self._guest, trigger)
