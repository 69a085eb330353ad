"""Channels into a guest, as far as its machine and its system have them."""

from __future__ import annotations

from functools import partial

from harness.channels.agent import POSIX, WINDOWS, AgentChannel
from harness.channels.direct import DirectChannel
from harness.errors import ChannelError
from harness.hypervisors.base import Machine
from harness.hypervisors.facets.agent import AGENT
from harness.hypervisors.facets.direct import DIRECT_COMMANDS, Login
from harness.profiles.model import Profile, System

EXECUTION = frozenset({"guest-exec", "guest-exec-status"})
"""The agent's commands for running programs."""

DIRECT_SINCE = (10, 0)
"""Windows NT's version in Windows 10 and Server 2016, the first with PowerShell Direct."""


def agent_of(machine: Machine, profile: Profile) -> AgentChannel:
    """The guest agent; every use of it raises ChannelError where the machine has no transport."""
    windows = profile.system is System.WINDOWS
    return AgentChannel(partial(_send_to_agent, machine), platform=WINDOWS if windows else POSIX)


def direct_of(machine: Machine, profile: Profile, login: Login) -> DirectChannel | None:
    """PowerShell Direct into the guest, where host and guest have it: Windows from 10 on."""
    setup = profile.windows
    if DIRECT_COMMANDS not in machine.facets or setup is None or setup.version < DIRECT_SINCE:
        return None
    return DirectChannel(partial(machine.facet(DIRECT_COMMANDS).run, login))


def _send_to_agent(machine: Machine, command: str, *, timeout: float) -> str:
    if AGENT not in machine.facets:
        raise ChannelError(f"{machine.name} has no transport to a QEMU guest agent")
    return machine.facet(AGENT).command(command, timeout=timeout)
