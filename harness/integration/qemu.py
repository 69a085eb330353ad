"""Integration services on QEMU: the guest agent and ACPI carry them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.channels.base import CommandNotStartedError, CommandResult, CommandTimeoutError
from harness.errors import ChannelError, GuestFailure, HarnessError
from harness.guests.channels import EXECUTION
from harness.guests.guest import Guest
from harness.guests.program import Program
from harness.integration.agent_policy import require_allowed
from harness.integration.common import PolledHeartbeat, RequestedShutdown, SwitchedService

LOST_AFTER = 5.0
"""Seconds without an answer after which the agent counts as lost (scaled)."""

AGENT_UNIT = "qemu-guest-agent.service"

NOT_THERE = (5, 127)
"""Exit statuses where the guest has no such unit, or no systemctl: neither is promised."""


class AgentService(SwitchedService):
    """A service of the guest agent; the console switches it, which needs no service."""

    def _answers(self) -> bool:
        return self._guest.agent.answers(timeout=self._guest.budget(LOST_AFTER).seconds)

    def _control(self, *, on: bool) -> None:
        verb = "start" if on else "stop"
        timeout = self._guest.budget(20).seconds
        with self._guest.ledger.on_guest():
            result = self._guest.shell().run(["systemctl", verb, AGENT_UNIT], timeout=timeout)
        if result.exit_status == 0:
            return
        sentence = f"`systemctl {verb} {AGENT_UNIT}` in the guest: {result.text[-300:]!r}"
        if result.exit_status in NOT_THERE:
            raise HarnessError(sentence)
        raise GuestFailure(sentence)


class AgentHeartbeat(AgentService, PolledHeartbeat):
    """The agent's ping. See Heartbeat."""


class AgentShutdown(AgentService, RequestedShutdown):
    """The agent's shutdown, and ACPI's power button. See Shutdown."""


class AgentExecution:
    """Commands that the agent runs. See Execution."""

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
        """See Execution.

        Raises what `require_allowed` does where the agent's policy refuses to run any.
        """
        try:
            with self._guest.ledger.on_guest():
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
        """See Execution."""
        return self.run(program.arguments, stdin=program.stdin, seconds=seconds)


@dataclass(frozen=True)
class QemuServices:
    """The services of a guest on QEMU. See IntegrationServices."""

    heartbeat: AgentHeartbeat
    shutdown: AgentShutdown
    exec: AgentExecution

    @classmethod
    def of(cls, guest: Guest) -> QemuServices:
        """Those of this guest."""
        return cls(AgentHeartbeat(guest), AgentShutdown(guest), AgentExecution(guest))
