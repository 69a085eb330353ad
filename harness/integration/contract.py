"""Contract of a guest's integration services, the same for a case on every hypervisor."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from enum import StrEnum
from typing import Protocol

from harness.channels.base import CommandResult
from harness.errors import ChannelError, GuestFailure
from harness.events import Event
from harness.guests.program import Program
from harness.hypervisors.capabilities import MachineFacet
from harness.hypervisors.facets.power import PowerRequests


class HeartbeatState(StrEnum):
    """The state of a guest's heartbeat."""

    OK = "ok"
    LOST = "lost"
    PAUSED = "paused"
    OFF = "off"


class Service(Protocol):
    """An integration service."""

    def disabled(self) -> AbstractContextManager[None]:
        """Switch the service off for the duration of the block.

        Each switch is awaited: on entry until the service is lost, at the end until it answers. A
        block that fails leaves it off: its guest goes with the case.
        """
        ...


class Heartbeat(Service, Protocol):
    """Whether the guest is alive, as the host sees it."""

    def state(self) -> HeartbeatState:
        """Query once; takes a few seconds where the guest is silent."""
        ...

    def await_state(self, wanted: HeartbeatState, *, seconds: float) -> None:
        """Wait for `seconds` (scaled); raises GuestTimeout with the state that it had instead."""
        ...

    def await_end(self, *, seconds: float) -> None:
        """Wait until the guest has no heartbeat, whatever the state of its machine."""
        ...


class Shutdown(Service, Protocol):
    """Shutting down and rebooting the guest at the host's request."""

    def power_off(
        self, method: MachineFacet[PowerRequests], *, seconds: float | None = None
    ) -> Event:
        """Request power-off and wait for the hypervisor's event; returns it.

        `seconds` (scaled) is by default the profile's budget.
        """
        ...

    def request(self, method: MachineFacet[PowerRequests]) -> None:
        """Request power-off and return; raises ChannelError where the service cannot be reached."""
        ...

    def reboot(self, method: MachineFacet[PowerRequests]) -> None:
        """Request a reboot and wait until the guest is ready again with a new boot id."""
        ...


class Execution(Protocol):
    """Running commands in the guest through the service itself, without a fallback."""

    def run(
        self,
        arguments: Sequence[str],
        *,
        stdin: bytes = b"",
        environment: Mapping[str, str] | None = None,
        seconds: float = 10,
    ) -> CommandResult:
        """Run a program for at most `seconds` (scaled). See CommandChannel."""
        ...

    def execute(self, program: Program, *, seconds: float = 10) -> CommandResult:
        """Run a program of the guest's OS."""
        ...


class IntegrationServices(Protocol):
    """The services of one guest; one that its hypervisor lacks raises NotApplicable by its name."""

    @property
    def heartbeat(self) -> Heartbeat:
        """The heartbeat."""
        ...

    @property
    def shutdown(self) -> Shutdown:
        """Shutdown and reboot."""
        ...

    @property
    def exec(self) -> Execution:
        """Commands."""
        ...


@contextmanager
def promised() -> Iterator[None]:
    """Turn ChannelError into GuestFailure: here the channel's answer is what the guest promises."""
    try:
        yield
    except ChannelError as error:
        raise GuestFailure(error.sentence) from error
