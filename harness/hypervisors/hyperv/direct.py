"""PowerShell Direct, which Windows has since Windows 10 and Server 2016."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Mapping, Sequence

from harness.errors import ChannelError, HypervisorError, HypervisorUnreachableError
from harness.hypervisors.facets.direct import Login
from harness.hypervisors.hyperv.host_machine import HostMachine

LOGIN_SECONDS = 60.0
"""Extra time for the login in the guest, beyond the program's own."""


class PowerShellDirect:
    """See DirectCommands."""

    def __init__(self, machine: HostMachine) -> None:
        self._machine = machine

    def run(
        self,
        login: Login,
        arguments: Sequence[str],
        *,
        stdin: bytes,
        environment: Mapping[str, str],
        timeout: float,
    ) -> Mapping[str, object]:
        """See DirectCommands."""
        try:
            return self._machine.do(
                "Invoke-InGuest",
                f"running {arguments[0]} in",
                seconds=timeout + LOGIN_SECONDS,
                Credential=login,
                Program=arguments[0],
                Line=subprocess.list2cmdline(arguments[1:]),
                Data=base64.b64encode(stdin).decode(),
                Milliseconds=round(timeout * 1000),
                Variables=[f"{name}={value}" for name, value in environment.items()] or None,
            )
        except HypervisorUnreachableError:
            raise
        except HypervisorError as error:  # the guest refuses or does not answer
            raise ChannelError(error.sentence, remedy=error.remedy) from error
