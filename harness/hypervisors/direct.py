"""Programs that the hypervisor itself runs in a guest, with no network and no agent in between."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from harness.hypervisors.base import Machine


@dataclass(frozen=True)
class Login:
    """A user of the guest's."""

    user: str
    password: str = field(repr=False)


@runtime_checkable
class DirectCommands(Protocol):
    """A machine in whose guest its host runs programs, as PowerShell Direct does on Hyper-V."""

    def direct_command(
        self,
        login: Login,
        arguments: Sequence[str],
        *,
        stdin: bytes,
        environment: Mapping[str, str],
        timeout: float,
    ) -> Mapping[str, object]:
        """Run a program for at most `timeout` seconds; how it ended, as the guest says (untrusted).

        `end` is "ended", "killed" (it took too long) or "not started", which `words` explains;
        `status` is a number, `output` and `errors` are base64. Raises ChannelError where the guest
        lets nobody in.
        """
        ...


def direct_commands_of(machine: Machine) -> DirectCommands | None:
    """The machine, as one in whose guest the host runs programs; None where it runs none."""
    return machine if isinstance(machine, DirectCommands) else None
