"""A machine on its Hyper-V host: what the facets of a machine act on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from harness.errors import HypervisorError
from harness.hypervisors.definitions import MachineDefinition
from harness.hypervisors.hyperv.address import Address
from harness.hypervisors.hyperv.definition import HostFolders
from harness.hypervisors.hyperv.event_watch import Watcher
from harness.hypervisors.hyperv.remoting import CALL_SECONDS, ScriptRunner, Value


@dataclass
class HostMachine:
    """A machine; `identifier` is Hyper-V's. Hot-plug replaces its definition."""

    run: ScriptRunner
    address: Address
    definition: MachineDefinition
    identifier: str
    folders: HostFolders
    watcher: Watcher

    @property
    def name(self) -> str:
        """The machine's name."""
        return self.definition.name

    def do(
        self, script: str, doing: str, seconds: float = CALL_SECONDS, **parameters: Value
    ) -> dict[str, Any]:
        """Run a script that takes the machine's name; `doing` precedes that in errors."""
        return self.run(script, f"{doing} {self.name}", seconds, Name=self.name, **parameters)

    def host_state(self) -> str:
        """Hyper-V's term for the machine's state; raises HypervisorError where it is gone."""
        doing = f"reading the state of {self.name}"
        answer = self.run("Get-Machines", doing, Prefix=self.name)
        for machine in answer["machines"]:
            if machine["name"] == self.name:
                return str(machine["state"])
        raise HypervisorError(
            f"{doing}: the machine no longer exists",
            remedy="check whether it was removed: Get-VM on the host",
        )
