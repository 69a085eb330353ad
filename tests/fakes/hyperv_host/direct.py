"""PowerShell Direct: tests define the guest's programs."""

from __future__ import annotations

import base64
from typing import Any

from tests.fakes.hyperv_host.errors import no_direct
from tests.fakes.hyperv_host.machines import find
from tests.fakes.hyperv_host.model import HostModel, RunModel
from tests.fakes.powershell_remoting.script import ErrorCategory

P = dict[str, Any]


def invoke_in_guest(host: HostModel, p: P) -> P:
    """Invoke-InGuest, with the errors that Microsoft's page on PowerShell Direct names."""
    machine = find(host, "GetVM", p["Name"])
    guest = machine.guest
    if machine.state != "Running":
        message = f"The virtual machine {machine.name} is not in running state."
        raise no_direct(message, ErrorCategory.INVALID_OPERATION, "InvalidVMState")
    if guest is None or guest.runs is None:
        message = (
            "An error has occurred which Windows PowerShell cannot handle. A remote session might "
            "have ended."
        )
        raise no_direct(message, ErrorCategory.OPEN_ERROR, "PSSessionStateBroken")
    login = p["Credential"]
    if guest.users.get(login.username) != login.password:
        message = "The credential is invalid."
        raise no_direct(message, ErrorCategory.OPEN_ERROR, "PSSessionStateBroken")
    stdin = base64.b64decode(p["Data"])
    answer = guest.runs(RunModel(p["Program"], p["Line"], stdin, tuple(p["Variables"])))
    return {"end": "ended", "message": "", "status": 0, "output": "", "errors": ""} | answer
