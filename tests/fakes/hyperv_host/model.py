"""State of a modelled host: machines, switches, files, and its log."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from harness.hypervisors.facets.host_services import ServiceName
from harness.hypervisors.hyperv.services import IDS

SERVER_2016 = 14393
"""The first build that changes memory and network adapters of running machines."""

STARTED, TURNED_OFF, SHUT_DOWN, GUEST_SHUT_DOWN = 18500, 18502, 18504, 18508
RESET, GUEST_RESET, GUEST_CRASHED = 18512, 18514, 18590


@dataclass(frozen=True)
class RunModel:
    """A program that the guest is to run."""

    program: str
    line: str
    stdin: bytes
    variables: tuple[str, ...]


@dataclass
class GuestModel:
    """The guest's side of the services, as tests set it."""

    answers: set[ServiceName] = field(default_factory=lambda: set(ServiceName))
    intrinsic: dict[str, str] = field(default_factory=lambda: {"OSName": "modelled"})
    files: dict[str, bytes] = field(default_factory=dict)
    skew_seconds: float = 0.0
    obeys_shutdown: bool = True
    disk_full: bool = False
    users: dict[str, str] = field(default_factory=dict)  # passwords of its users
    runs: Callable[[RunModel], dict[str, object]] | None = None  # None: without PowerShell Direct
    respond: Callable[[bytes], bytes] = lambda typed: typed  # its console's output for an input


@dataclass
class VlanModel:
    """The VLANs of a network adapter."""

    mode: str = "Untagged"
    access: int = 0
    native: int = 0
    allowed: list[int] = field(default_factory=list)


@dataclass
class Nic:
    """A network adapter."""

    name: str
    mac: str
    network: str
    legacy: bool
    dhcp_guard: str
    router_guard: str
    spoofing: str
    vlan: VlanModel = field(default_factory=VlanModel)
    acls: list[tuple[str, str, str]] = field(default_factory=list)  # action, direction, remote


@dataclass
class MeterModel:
    """Usage of a metered machine, as tests set it."""

    seconds: float | None = None  # Hyper-V knows none at first
    processor_mhz: int | None = 0
    disk_allocated: int = 20480
    received: int = 0
    sent: int = 0


@dataclass
class MachineModel:
    """One virtual machine."""

    name: str
    generation: int
    notes: str
    startup_mib: int
    processors: int
    folder: str
    pipe: str
    limits: tuple[int, int] | None = None
    legacy_processor: bool = False
    per_node: int = 0
    identifier: str = field(default_factory=lambda: str(uuid.uuid4()))
    state: str = "Off"
    uuid: str = ""
    serial: str = ""
    disks: dict[tuple[str, int, int], str] = field(default_factory=dict)
    dvds: dict[tuple[int, int], str] = field(default_factory=dict)
    floppy: str | None = None
    nics: list[Nic] = field(default_factory=list)
    secure_boot: tuple[str, str] = ("Off", "")
    boot_order: list[str] = field(default_factory=list)
    tpm: bool = False
    keys: list[int] = field(default_factory=list)
    interrupts: int = 0
    services: dict[ServiceName, bool] = field(
        default_factory=lambda: {name: name is not ServiceName.FILE_COPY for name in ServiceName}
    )
    host_pairs: dict[str, str] = field(default_factory=dict)
    checkpoint_type: str = "Production"
    checkpoints: dict[str, str] = field(default_factory=dict)  # saved states by name
    console_output: bytearray = field(default_factory=bytearray)  # pending console output
    guest: GuestModel | None = None
    meter: MeterModel | None = None

    @property
    def is_on(self) -> bool:
        """Whether it occupies memory of the host."""
        return self.state in ("Running", "Paused")

    @property
    def stops(self) -> bool:
        """Whether it can be turned off; a critical one lost its disks, whatever it was doing."""
        return self.state.removesuffix("Critical") not in ("Off", "Saved")

    def reached(self, service: ServiceName) -> bool:
        """Whether a service works: on on both sides, and the guest runs."""
        guest = self.guest if self.state == "Running" else None
        return guest is not None and self.services[service] and service in guest.answers

    def status(self, service: ServiceName) -> str:
        """The result of Get-VMIntegrationService."""
        if self.state != "Running":
            return ""
        if self.reached(service):
            return "Ok"
        return "NoContact" if self.guest is None else "LostCommunication"


@dataclass
class Switch:
    """A virtual switch, with the network that is served behind it."""

    name: str
    kind: str
    notes: str = ""
    address: str = ""
    leases: dict[str, str] = field(default_factory=dict)


@dataclass
class HostModel:
    """The host. `changed` is held for every access, and notified of every change."""

    name: str = "hyperv1.example"
    build: str = "10.0.20348"
    module: str | None = "2.0.0.0"
    service: str | None = "Running"
    administrator: bool = True  # else the user may neither manage Hyper-V nor list services
    reads_log: bool = True  # the user may read Hyper-V's own
    servers: tuple[str, ...] = ("DHCPServer", "DNS")  # services that run
    folder: str = "D:\\Hyper-V\\Virtual Hard Disks"
    free_bytes: int = 500 * 1024**3
    memory_mib: int = 65536
    drives: dict[str, int] = field(default_factory=dict)  # others than the folder's: free bytes
    peers: dict[str, HostModel] = field(default_factory=dict)  # other hosts, by their names
    migrates: bool = True
    delegated: bool = True  # it may use its users' credentials at other hosts
    same_processor: bool = True  # as that of hosts that it takes machines from
    machines: dict[str, MachineModel] = field(default_factory=dict)
    made: list[MachineModel] = field(default_factory=list)  # including removed ones
    switches: dict[str, Switch] = field(
        default_factory=lambda: {"Default Switch": Switch("Default Switch", "Internal")}
    )
    files: dict[str, bytearray] = field(default_factory=dict)
    cut: dict[str, int] = field(default_factory=dict)  # scripts whose listing a removal cuts
    states: dict[str, MachineModel] = field(default_factory=dict)  # saved ones by folder
    folders: dict[str, str] = field(default_factory=dict)  # folders with notes
    log: list[tuple[str, int]] = field(default_factory=list)  # identifiers with event ids
    changed: threading.Condition = field(default_factory=threading.Condition)

    @property
    def build_number(self) -> int:
        """The build number, which determines the host's features."""
        return int(self.build.rpartition(".")[2])

    @property
    def taken_mib(self) -> int:
        """The memory of running machines."""
        return sum(m.startup_mib for m in self.machines.values() if m.is_on)

    def happened(self, machine: MachineModel, event: int) -> None:
        """Write a line into Hyper-V's log."""
        self.log.append((machine.identifier, event))

    def guest_shuts_down(self, name: str, event: int = GUEST_SHUT_DOWN) -> None:
        """A guest powers off by itself."""
        with self.changed:
            self.machines[name].state = "Off"
            self.happened(self.machines[name], event)
            self.changed.notify_all()

    def guest_resets(self, name: str) -> None:
        """A guest restarts by itself."""
        with self.changed:
            self.happened(self.machines[name], GUEST_RESET)
            self.changed.notify_all()

    def guest_crashes(self, name: str) -> None:
        """A guest reports a fatal error."""
        with self.changed:
            self.happened(self.machines[name], GUEST_CRASHED)
            self.changed.notify_all()

    def time_passes(self) -> None:
        """The time synchronisation service sets the clocks of the guests that it reaches."""
        with self.changed:
            for machine in self.machines.values():
                if machine.guest and machine.reached(ServiceName.TIME_SYNC):
                    machine.guest.skew_seconds = 0.0

    def vanish(self, name: str) -> None:
        """Another user removes a machine."""
        with self.changed:
            del self.machines[name]
            self.changed.notify_all()


def service_of(identifier: str) -> ServiceName:
    """The service that an id ends with."""
    return next(name for name, known in IDS.items() if known == identifier.upper())
