"""The facets of machines on Hyper-V."""

from __future__ import annotations

from harness.hypervisors.capabilities import Binding, bind
from harness.hypervisors.facets.console import CONSOLE
from harness.hypervisors.facets.direct import DIRECT_COMMANDS
from harness.hypervisors.facets.display import DISPLAY, KEYBOARD
from harness.hypervisors.facets.host_services import DATA_EXCHANGE, FILE_COPY, HOST_SERVICES
from harness.hypervisors.facets.memory import MEMORY
from harness.hypervisors.facets.metering import METERING
from harness.hypervisors.facets.migration import STORAGE_MOVE
from harness.hypervisors.facets.network_policy import NETWORK_POLICY
from harness.hypervisors.facets.nics import HOT_PLUG, NIC_MOVE
from harness.hypervisors.facets.power import NMI, POWER_SERVICE
from harness.hypervisors.facets.snapshots import PRODUCTION_SNAPSHOTS, SAVED_STATES, SNAPSHOTS
from harness.hypervisors.hyperv.console import HypervConsole
from harness.hypervisors.hyperv.direct import PowerShellDirect
from harness.hypervisors.hyperv.display import HypervDisplay, HypervKeyboard
from harness.hypervisors.hyperv.host_machine import HostMachine
from harness.hypervisors.hyperv.memory import HypervMemory
from harness.hypervisors.hyperv.metering import HypervMetering
from harness.hypervisors.hyperv.migration import HypervStorageMove
from harness.hypervisors.hyperv.nics import HypervHotPlug, HypervNicMove
from harness.hypervisors.hyperv.policy import HypervNetworkPolicy
from harness.hypervisors.hyperv.power import HypervNmi, HypervShutdownService
from harness.hypervisors.hyperv.services import (
    HypervDataExchange,
    HypervFileCopy,
    HypervServices,
)
from harness.hypervisors.hyperv.snapshots import (
    HypervProductionSnapshots,
    HypervSavedStates,
    HypervSnapshots,
)

MACHINE_FACETS: tuple[Binding[HostMachine], ...] = (
    bind(CONSOLE, HypervConsole),
    bind(DATA_EXCHANGE, HypervDataExchange),
    bind(DIRECT_COMMANDS, PowerShellDirect),
    bind(DISPLAY, HypervDisplay),
    bind(FILE_COPY, HypervFileCopy),
    bind(HOST_SERVICES, HypervServices),
    bind(HOT_PLUG, HypervHotPlug),
    bind(KEYBOARD, HypervKeyboard),
    bind(MEMORY, HypervMemory),
    bind(METERING, HypervMetering),
    bind(NETWORK_POLICY, HypervNetworkPolicy),
    bind(NIC_MOVE, HypervNicMove),
    bind(NMI, HypervNmi),
    bind(POWER_SERVICE, HypervShutdownService),
    bind(PRODUCTION_SNAPSHOTS, HypervProductionSnapshots),
    bind(SAVED_STATES, HypervSavedStates),
    bind(SNAPSHOTS, HypervSnapshots),
    bind(STORAGE_MOVE, HypervStorageMove),
)
