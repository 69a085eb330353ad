"""The guest's integration services, independent of what implements them.

On KVM the QEMU guest agent and ACPI implement them; on Hyper-V its VMBus services do, which have
a host side as well (`hypervisors/facets/host_services.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum

from harness.channels.base import CommandNotStartedError, CommandResult, CommandTimeoutError
from harness.errors import ChannelError, GuestFailure, HarnessError, NotApplicable
from harness.events import Event
from harness.guests.guest import EXECUTION, Guest
from harness.guests.os import Program
from harness.hypervisors.base import MachineState, PowerMethod
from harness.hypervisors.facets.host_services import HostServices, ServiceName, host_services_of
from harness.oracles.reboot import expect_reboot
from harness.waiting import Deadline, NotYet, wait_until

AGENT_UNIT = "qemu-guest-agent.service"

NOT_THERE = (5, 127)
"""Exit statuses where the guest has no such unit, or no systemctl: neither is promised."""


class HeartbeatState(StrEnum):
    """The state of a guest's heartbeat."""

    OK = "ok"
    LOST = "lost"
    PAUSED = "paused"
    OFF = "off"


class Heartbeat:
    """Whether the guest is alive, as the host sees it."""

    lost_after = 5.0
    """Seconds without an answer after which the heartbeat counts as lost (scaled)."""

    def __init__(self, guest: Guest) -> None:
        self._guest = guest

    def state(self) -> HeartbeatState:
        """Query once; takes up to `lost_after` (scaled) where the guest is silent."""
        machine = self._guest.machine.state()
        if machine is MachineState.PAUSED:
            return HeartbeatState.PAUSED
        if machine is not MachineState.RUNNING:
            return HeartbeatState.OFF
        return HeartbeatState.OK if self._answers() else HeartbeatState.LOST

    def _answers(self) -> bool:
        """By the hypervisor's own heartbeat if it has one, else by the guest agent's ping."""
        services = host_services_of(self._guest.machine)
        if services is not None:
            return services.states()[ServiceName.HEARTBEAT].answers
        return self._guest.agent.answers(timeout=self._guest.budget(self.lost_after).seconds)

    def await_state(self, wanted: HeartbeatState, deadline: Deadline) -> None:
        """Wait until the heartbeat is `wanted`; raises GuestTimeout with what it was instead."""

        def probe() -> None:
            state = self.state()
            if state is not wanted:
                raise NotYet(f"heartbeat {state}")

        wait_until(
            probe,
            awaited=f"the heartbeat of {self._guest.name} to be {wanted}",
            deadline=deadline,
            evidence=self._guest.console_log,
        )

    def await_dead(self, deadline: Deadline) -> None:
        """Wait until the guest has no heartbeat, whatever the state of its machine."""

        def probe() -> None:
            state = self.state()
            if state is HeartbeatState.OK:
                raise NotYet(f"heartbeat {state}")

        wait_until(
            probe,
            awaited=f"the heartbeat of {self._guest.name} to end",
            deadline=deadline,
            evidence=self._guest.console_log,
        )


class Shutdown:
    """Shutting down and rebooting the guest at the host's request."""

    def __init__(self, guest: Guest) -> None:
        self._guest = guest

    def power_off(self, method: PowerMethod, *, seconds: float | None = None) -> Event:
        """Request power-off and wait for the hypervisor's event; returns it."""
        guest = self._guest
        since = guest.machine.events.mark()
        with promised():
            guest.machine.shutdown(method)
        allowed = guest.profile.budgets.shutdown_seconds if seconds is None else seconds
        return guest.await_off(since, guest.budget(allowed))

    def request(self, method: PowerMethod) -> None:
        """Request power-off and return; raises ChannelError where the service cannot be reached."""
        self._guest.machine.shutdown(method)

    def reboot(self, method: PowerMethod) -> None:
        """Request a reboot and wait until the guest is ready again with a new boot id."""

        def ask() -> None:
            with promised():
                self._guest.machine.reboot(method)

        expect_reboot(self._guest, ask)


def require_allowed(guest: Guest, *commands: str) -> None:
    """Raise where the agent's own list records that its policy blocks one of these commands.

    NotApplicable where the profile names that policy as the vendor's, GuestFailure elsewhere.
    """
    try:
        listed = guest.agent.commands(timeout=guest.budget(5).seconds)
    except ChannelError:
        return
    blocked = sorted(listed.blocked.intersection(commands))
    if not blocked:
        return
    sentence = f"the guest agent answers, and its policy blocks {', '.join(blocked)}"
    if guest.profile.agent.blocks:
        raise NotApplicable(f"{sentence}, as the profile {guest.profile.id} records")
    raise GuestFailure(
        f"{sentence} (try: allow them in /etc/sysconfig/qemu-ga or qemu-ga.conf of the image, or"
        " record `agent: {policy: restricted}` in a profile of its own)"
    )


@contextmanager
def promised() -> Iterator[None]:
    """Turn ChannelError into GuestFailure: here the channel's answer is what the guest promises."""
    try:
        yield
    except ChannelError as error:
        raise GuestFailure(error.sentence) from error


class Execution:
    """Running commands in the guest through the service itself, without a fallback."""

    def __init__(self, guest: Guest) -> None:
        self._guest = guest

    def run(
        self,
        arguments: Sequence[str],
        *,
        stdin: bytes = b"",
        environment: Mapping[str, str] | None = None,
        seconds: float = 10,
    ) -> CommandResult:
        """Run a program for at most `seconds` (scaled). See CommandChannel.

        Raises what `require_allowed` does where the agent's policy refuses to run any.
        """
        try:
            return self._guest.agent.run(
                arguments,
                stdin=stdin,
                environment=environment,
                timeout=self._guest.budget(seconds).seconds,
            )
        except (CommandNotStartedError, CommandTimeoutError):
            raise
        except ChannelError:
            require_allowed(self._guest, *EXECUTION)
            raise

    def execute(self, program: Program, *, seconds: float = 10) -> CommandResult:
        """Run a program of the guest's OS."""
        return self.run(program.arguments, stdin=program.stdin, seconds=seconds)


class Service:
    """Switches the services off and on: on the host if it has a side there, else in the guest.

    In the guest this uses the console, which needs no service.
    """

    def __init__(self, guest: Guest) -> None:
        self._guest = guest

    def switch_off(self) -> None:
        """Switch the service off, and wait until it is lost."""
        self._control(on=False)
        Heartbeat(self._guest).await_state(HeartbeatState.LOST, self._guest.budget(20))

    def switch_on(self) -> None:
        """Switch the service on, and wait until it answers."""
        self._control(on=True)
        Heartbeat(self._guest).await_state(HeartbeatState.OK, self._guest.budget(20))

    def _control(self, *, on: bool) -> None:
        host = host_services_of(self._guest.machine)
        if host is None:
            self._control_agent("start" if on else "stop")
            return
        for name in (ServiceName.HEARTBEAT, ServiceName.SHUTDOWN):
            host.switch(name, on=on)

    def _control_agent(self, verb: str) -> None:
        timeout = self._guest.budget(20).seconds
        result = self._guest.shell().run(["systemctl", verb, AGENT_UNIT], timeout=timeout)
        if result.exit_status == 0:
            return
        sentence = f"`systemctl {verb} {AGENT_UNIT}` in the guest: {result.text[-300:]!r}"
        if result.exit_status in NOT_THERE:
            raise HarnessError(sentence)
        raise GuestFailure(sentence)


@dataclass(frozen=True)
class IntegrationServices:
    """The services of one guest, each the same for a case on every hypervisor."""

    heartbeat: Heartbeat
    shutdown: Shutdown
    exec: Execution
    service: Service
    host: HostServices | None  # the hypervisor's own side, if it has one


def services_of(guest: Guest) -> IntegrationServices:
    """The integration services of a guest, as its hypervisor implements them."""
    return IntegrationServices(
        Heartbeat(guest),
        Shutdown(guest),
        Execution(guest),
        Service(guest),
        host_services_of(guest.machine),
    )
