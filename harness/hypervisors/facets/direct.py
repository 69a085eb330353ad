"""Direct commands: the hypervisor itself runs programs in a guest, without network or agent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from harness.hypervisors.capabilities import MachineFacet


@dataclass(frozen=True)
class Login:
    """Credentials of a user in the guest."""

    user: str
    password: str = field(repr=False)


class DirectCommands(Protocol):
    """Programs in the guest, started by its host, as PowerShell Direct does on Hyper-V."""

    def run(
        self,
        login: Login,
        arguments: Sequence[str],
        *,
        stdin: bytes,
        environment: Mapping[str, str],
        timeout: float,
    ) -> Mapping[str, object]:
        """Run a program for at most `timeout` seconds; returns the guest's answer (untrusted).

        `end` is "ended", "killed" (timed out) or "not started", which `message` explains;
        `status` is a number, `output` and `errors` are base64. Raises ChannelError where the
        guest refuses the login.
        """
        ...


DIRECT_COMMANDS = MachineFacet[DirectCommands]("direct-commands")
