"""Transport to QEMU's guest agent."""

from __future__ import annotations

from typing import Protocol

from harness.hypervisors.capabilities import MachineFacet


class AgentTransport(Protocol):
    """The virtio serial port of the guest agent."""

    def command(self, command: str, *, timeout: float) -> str:
        """Send one JSON command to the guest agent; return its JSON answer (never trusted).

        Raises ChannelError where no agent answers within `timeout` seconds.
        """
        ...


AGENT = MachineFacet[AgentTransport]("agent")
