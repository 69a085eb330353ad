"""Host side of Hyper-V's integration services."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.hypervisors.facets.host_services import ServiceName, ServiceState
from harness.hypervisors.hyperv.host_machine import HostMachine
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

COPY_SECONDS = 600.0


class HypervServices:
    """See HostServices."""

    def __init__(self, machine: HostMachine) -> None:
        self._machine = machine

    def states(self) -> Mapping[ServiceName, ServiceState]:
        """See HostServices."""
        answer = self._machine.do("Get-Services", "reading the integration services of")
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
        self._machine.do("Switch-Service", doing, Service=IDS[service], Enabled=on)


class HypervDataExchange:
    """See DataExchange."""

    def __init__(self, machine: HostMachine) -> None:
        self._machine = machine

    def guest_pairs(self) -> Mapping[str, str]:
        """See DataExchange."""
        pairs = self._pairs()
        return {**_texts(pairs["intrinsic"]), **_texts(pairs["guest"])}

    def host_pairs(self) -> Mapping[str, str]:
        """See DataExchange."""
        return _texts(self._pairs()["host"])

    def add_pair(self, key: str, value: str) -> None:
        """See DataExchange."""
        self._machine.do(
            "Set-Pair", f"adding the pair {key!r} to", Change="Add", Key=key, Value=value
        )

    def modify_pair(self, key: str, value: str) -> None:
        """See DataExchange."""
        self._machine.do(
            "Set-Pair", f"changing the pair {key!r} of", Change="Modify", Key=key, Value=value
        )

    def remove_pair(self, key: str) -> None:
        """See DataExchange."""
        self._machine.do("Set-Pair", f"removing the pair {key!r} from", Change="Remove", Key=key)

    def _pairs(self) -> dict[str, Any]:
        return self._machine.do("Get-Pairs", "reading the key-value pairs of")


class HypervFileCopy:
    """See FileCopy."""

    def __init__(self, machine: HostMachine) -> None:
        self._machine = machine

    def copy(self, source: Path, destination: str, *, force: bool = False) -> None:
        """See FileCopy."""
        machine = self._machine
        transfer = Transfer(machine.run, machine.folders)
        machine.do(
            "Copy-ToGuest",
            f"copying {source.name} into",
            seconds=COPY_SECONDS,
            # A Linux guest gives the copy the name of the host's file.
            Source=transfer.bring_file(source, machine.definition.owner),
            Destination=destination,
            Force=force,
        )


def _texts(pairs: object) -> dict[str, str]:
    """Pairs as text, whatever a guest stored in them."""
    if not isinstance(pairs, Mapping):
        return {}
    return {str(key): str(value) for key, value in pairs.items()}
