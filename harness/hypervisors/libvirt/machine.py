"""One machine on QEMU/KVM, through libvirt."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator
from typing import Any, TypeVar

import libvirt

from harness.errors import HypervisorError
from harness.events import EventKind, EventLog
from harness.host.log import log_tail
from harness.hypervisors.base import MachineState
from harness.hypervisors.capabilities import Binding, Facet, Facets, MachineFacet
from harness.hypervisors.definitions import MachineDefinition
from harness.hypervisors.libvirt.domain import Domain
from harness.hypervisors.libvirt.errors import is_missing, wrap_errors
from harness.hypervisors.libvirt.logs import qemu_log, remove_console_copy
from harness.hypervisors.libvirt.scheduling import seconds_starved

F = TypeVar("F")

STATES = {
    libvirt.VIR_DOMAIN_RUNNING: MachineState.RUNNING,
    libvirt.VIR_DOMAIN_BLOCKED: MachineState.RUNNING,
    libvirt.VIR_DOMAIN_PAUSED: MachineState.PAUSED,
    libvirt.VIR_DOMAIN_PMSUSPENDED: MachineState.ASLEEP,
    libvirt.VIR_DOMAIN_SHUTDOWN: MachineState.RUNNING,
    libvirt.VIR_DOMAIN_SHUTOFF: MachineState.OFF,
    libvirt.VIR_DOMAIN_CRASHED: MachineState.CRASHED,
}

LOG_LIMIT = 64 * 1024


class LibvirtMachine:
    """See Machine."""

    def __init__(
        self, domain: Domain, events: EventLog, facets: Collection[Binding[Domain]]
    ) -> None:
        self._domain = domain
        self._events = events
        self._facets = Facets(domain, facets)

    @property
    def name(self) -> str:
        """See Machine."""
        return self._domain.name

    @property
    def definition(self) -> MachineDefinition:
        """See Machine."""
        return self._domain.definition

    @property
    def events(self) -> EventLog:
        """See Machine."""
        return self._events

    @property
    def facets(self) -> frozenset[Facet[Any]]:
        """See Machine."""
        return self._facets.tokens

    def facet(self, facet: MachineFacet[F]) -> F:
        """See Machine."""
        return self._facets.get(facet)

    def state(self) -> MachineState:
        """See Machine."""
        with wrap_errors(f"reading the state of {self.name}"):
            return STATES.get(self._domain.handle.state()[0], MachineState.OFF)

    def seconds_starved(self) -> float:
        """See Machine."""
        with wrap_errors(f"reading how long the processors of {self.name} waited"):
            return seconds_starved(self._domain.handle)

    def start(self, *, paused: bool = False) -> None:
        """See Machine.

        A machine whose guest powered it off gets a second attempt: some libvirt versions (9.0 is
        one) can take the end of its earlier QEMU, when they get to it late, for that of the new
        one, and kill it. Later ones compare the domain's id first.
        """
        powered_off = self._powered_off_by_its_guest()
        try:
            self._create(paused)
        except HypervisorError:
            if not powered_off or self.state() is not MachineState.OFF:
                raise
            self._create(paused)

    def _create(self, paused: bool) -> None:
        with wrap_errors(f"starting {self.name}"):
            self._domain.handle.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED if paused else 0)

    def _powered_off_by_its_guest(self) -> bool:
        """Whether the machine's last stop was its guest's own shutdown."""
        stops = [event for event in self._events.since(0) if event.kind is EventKind.STOPPED]
        return bool(stops) and stops[-1].detail == "shutdown"

    def pause(self) -> None:
        """See Machine."""
        with wrap_errors(f"pausing {self.name}"):
            self._domain.handle.suspend()

    def resume(self) -> None:
        """See Machine."""
        with wrap_errors(f"resuming {self.name}"):
            self._domain.handle.resume()

    def reset(self) -> None:
        """See Machine."""
        with wrap_errors(f"resetting {self.name}"):
            self._domain.handle.reset(0)

    def power_off(self) -> None:
        """See Machine."""
        with wrap_errors(f"powering {self.name} off"), _unless_missing():
            self._domain.handle.destroy()

    def remove(self) -> None:
        """See Machine."""
        self.power_off()
        remove_domain(self._domain.handle)

    def description(self) -> str:
        """See Machine."""
        with wrap_errors(f"reading the definition of {self.name}"):
            xml: str = self._domain.handle.XMLDesc(0)
            return xml

    def hypervisor_log(self) -> str:
        """See Machine."""
        try:
            return log_tail(qemu_log(self._domain.connection, self.name), LOG_LIMIT)
        except OSError as error:
            return f"QEMU's log could not be read: {error}"


def remove_domain(domain: libvirt.virDomain) -> None:
    """Undefine a powered-off domain, and remove what is its own (idempotent)."""
    everything = (
        libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | libvirt.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA
    )
    if domain.connect().getType() == "QEMU":  # libvirt's test driver has no NVRAM
        everything |= libvirt.VIR_DOMAIN_UNDEFINE_NVRAM
    with wrap_errors("undefining a machine"), _unless_missing():
        domain.undefineFlags(everything)
    remove_console_copy(domain.connect(), domain.name())


@contextlib.contextmanager
def _unless_missing() -> Iterator[None]:
    try:
        yield
    except libvirt.libvirtError as error:
        if not is_missing(error):
            raise
