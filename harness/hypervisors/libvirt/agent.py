"""Transport to the guest agent through libvirt."""

from __future__ import annotations

import libvirt
import libvirt_qemu

from harness.hypervisors.libvirt.domain import Domain
from harness.hypervisors.libvirt.errors import translate_agent_error


class LibvirtAgentTransport:
    """See AgentTransport."""

    def __init__(self, domain: Domain) -> None:
        self._domain = domain

    def command(self, command: str, *, timeout: float) -> str:
        """See AgentTransport."""
        try:
            answer: str = libvirt_qemu.qemuAgentCommand(
                self._domain.handle, command, max(1, round(timeout)), 0
            )
        except libvirt.libvirtError as error:
            doing = f"the guest agent of {self._domain.name}"
            raise translate_agent_error(doing, error) from error
        return answer
