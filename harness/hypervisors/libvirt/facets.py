"""The facets of machines on QEMU."""

from __future__ import annotations

from harness.hypervisors.capabilities import Binding, bind
from harness.hypervisors.facets.agent import AGENT
from harness.hypervisors.facets.console import CONSOLE
from harness.hypervisors.facets.display import DISPLAY, KEYBOARD
from harness.hypervisors.facets.nics import NIC_MOVE
from harness.hypervisors.facets.power import NMI, POWER_BUTTON, POWER_SERVICE, SLEEP
from harness.hypervisors.facets.processors import PROCESSORS
from harness.hypervisors.facets.snapshots import SAVED_STATES, SNAPSHOTS
from harness.hypervisors.libvirt.agent import LibvirtAgentTransport
from harness.hypervisors.libvirt.console import LibvirtConsole
from harness.hypervisors.libvirt.display import LibvirtDisplay, LibvirtKeyboard
from harness.hypervisors.libvirt.domain import Domain
from harness.hypervisors.libvirt.nics import LibvirtNicMove
from harness.hypervisors.libvirt.power import (
    LibvirtAgentPower,
    LibvirtNmi,
    LibvirtPowerButton,
    LibvirtSleep,
)
from harness.hypervisors.libvirt.processors import LibvirtProcessors
from harness.hypervisors.libvirt.snapshots import LibvirtSavedStates, LibvirtSnapshots

MACHINE_FACETS: tuple[Binding[Domain], ...] = (
    bind(AGENT, LibvirtAgentTransport),
    bind(CONSOLE, LibvirtConsole),
    bind(DISPLAY, LibvirtDisplay),
    bind(KEYBOARD, LibvirtKeyboard),
    bind(NIC_MOVE, LibvirtNicMove),
    bind(NMI, LibvirtNmi),
    bind(POWER_BUTTON, LibvirtPowerButton),
    bind(POWER_SERVICE, LibvirtAgentPower),
    bind(PROCESSORS, LibvirtProcessors),
    bind(SAVED_STATES, LibvirtSavedStates),
    bind(SLEEP, LibvirtSleep),
    bind(SNAPSHOTS, LibvirtSnapshots),
)
