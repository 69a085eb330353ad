"""Host side of Hyper-V's integration services."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.hypervisors.definitions import DynamicMemory, Ownership
from harness.hypervisors.facets.host_services import (
    CheckpointKind,
    MemoryFacts,
    ServiceName,
    ServiceState,
)
from harness.hypervisors.hyperv.remoting import CALL_SECONDS, ScriptRunner, Value
from harness.hypervisors.hyperv.transfer import Transfer

IDS = {
    ServiceName.HEARTBEAT: "84EAAE65-2F2E-45F5-9BB5-0E857DC8EB47",
    ServiceName.SHUTDOWN: "9F8233AC-BE49-4C79-8EE3-E7E1985B2077",
    ServiceName.TIME_SYNC: "2497F4DE-E9FA-4204-80E4-4B75C46419C0",
    ServiceName.DATA_EXCHANGE: "2A34B1C2-FD73-4043-8A5B-DD2159BC743F",
    ServiceName.BACKUP: "5CED1297-4598-4915-A5FC-AD21BB4D02A4",
    ServiceName.FILE_COPY: "6C09BB55-D683-4DA0-8931-C9BF705F6480",
}
"""The last part of the services' ids; their names are in the host's language."""

KINDS = {CheckpointKind.STANDARD: "Standard", CheckpointKind.PRODUCTION: "ProductionOnly"}

CHECKPOINT_SECONDS = 600.0
COPY_SECONDS = 600.0


class HypervServices:
    """See HostServices."""

    def __init__(
        self, run: ScriptRunner, transfer: Transfer, machine: str, owner: Ownership
    ) -> None:
        self._run = run
        self._transfer = transfer
        self._machine = machine
        self._owner = owner

    def states(self) -> Mapping[ServiceName, ServiceState]:
        """See HostServices."""
        answer = self._do("Get-Services", "reading the integration services of")
        services = {
            str(each["id"]).upper().rpartition("\\")[2]: each for each in answer["services"]
        }
        return {
            name: ServiceState(bool(services[key]["enabled"]), str(services[key]["status"]))
            for name, key in IDS.items()
            if key in services
        }

    def switch(self, service: ServiceName, *, on: bool) -> None:
        """See HostServices."""
        doing = f"switching {service} {'on' if on else 'off'} for"
        self._do("Switch-Service", doing, Service=IDS[service], Enabled=on)

    def guest_pairs(self) -> Mapping[str, str]:
        """See HostServices."""
        pairs = self._pairs()
        return {**_texts(pairs["intrinsic"]), **_texts(pairs["guest"])}

    def host_pairs(self) -> Mapping[str, str]:
        """See HostServices."""
        return _texts(self._pairs()["host"])

    def add_pair(self, key: str, value: str) -> None:
        """See HostServices."""
        self._do("Set-Pair", f"adding the pair {key!r} to", Change="Add", Key=key, Value=value)

    def modify_pair(self, key: str, value: str) -> None:
        """See HostServices."""
        self._do("Set-Pair", f"changing the pair {key!r} of", Change="Modify", Key=key, Value=value)

    def remove_pair(self, key: str) -> None:
        """See HostServices."""
        self._do("Set-Pair", f"removing the pair {key!r} from", Change="Remove", Key=key)

    def copy_file(self, source: Path, destination: str, *, force: bool = False) -> None:
        """See HostServices."""
        self._do(
            "Copy-ToGuest",
            f"copying {source.name} into",
            seconds=COPY_SECONDS,
            # A Linux guest gives the copy the name of the host's file.
            Source=self._transfer.bring_file(source, self._owner),
            Destination=destination,
            Force=force,
        )

    def checkpoint(self, name: str, kind: CheckpointKind) -> None:
        """See HostServices."""
        self._do(
            "New-Checkpoint",
            f"taking the {kind} checkpoint {name!r} of",
            seconds=CHECKPOINT_SECONDS,
            Checkpoint=name,
            Kind=KINDS[kind],
        )

    def checkpoints(self) -> Sequence[str]:
        """See HostServices."""
        answer = self._do("Get-Checkpoints", "listing the checkpoints of")
        return [str(name) for name in answer["names"]]

    def restore_checkpoint(self, name: str) -> None:
        """See HostServices."""
        doing = f"restoring the checkpoint {name!r} of"
        self._do("Restore-Checkpoint", doing, seconds=CHECKPOINT_SECONDS, Checkpoint=name)

    def remove_checkpoint(self, name: str) -> None:
        """See HostServices."""
        self._do("Remove-Checkpoint", f"removing the checkpoint {name!r} of", Checkpoint=name)

    def memory(self) -> MemoryFacts:
        """See HostServices."""
        answer = self._do("Get-Memory", "reading the memory of")
        return MemoryFacts(
            dynamic=bool(answer["dynamic"]),
            startup=int(answer["startup_mib"]),
            minimum=int(answer["minimum_mib"]),
            maximum=int(answer["maximum_mib"]),
            assigned=int(answer["assigned_mib"]),
            demand=int(answer["require_mib"]),
        )

    def resize_memory(
        self, startup_mib: int | None = None, limits: DynamicMemory | None = None
    ) -> None:
        """See HostServices."""
        self._do(
            "Set-Memory",
            "resizing the memory of",
            StartupMib=startup_mib,
            MinimumMib=limits.minimum_mib if limits else None,
            MaximumMib=limits.maximum_mib if limits else None,
        )

    def _pairs(self) -> dict[str, Any]:
        return self._do("Get-Pairs", "reading the key-value pairs of")

    def _do(
        self, script: str, doing: str, seconds: float = CALL_SECONDS, **parameters: Value
    ) -> dict[str, Any]:
        machine = self._machine
        return self._run(script, f"{doing} {machine}", seconds, Name=machine, **parameters)


def _texts(pairs: object) -> dict[str, str]:
    """Pairs as text, whatever a guest stored in them."""
    if not isinstance(pairs, Mapping):
        return {}
    return {str(key): str(value) for key, value in pairs.items()}
