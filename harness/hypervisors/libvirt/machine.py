"""One machine on QEMU/KVM, through libvirt."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import libvirt
import libvirt_qemu
import png

from harness.errors import HypervisorError
from harness.events import EventLog
from harness.hypervisors.base import Key, MachineState, PowerMethod, SleepState
from harness.hypervisors.definitions import MachineDefinition
from harness.hypervisors.libvirt import console
from harness.hypervisors.libvirt.definition import nic_xml, snapshot_xml
from harness.hypervisors.libvirt.errors import is_missing, translate_agent_error, wrap_errors
from harness.hypervisors.libvirt.metadata import renew_domain
from harness.hypervisors.libvirt.scheduling import seconds_starved

STATES = {
    libvirt.VIR_DOMAIN_RUNNING: MachineState.RUNNING,
    libvirt.VIR_DOMAIN_BLOCKED: MachineState.RUNNING,
    libvirt.VIR_DOMAIN_PAUSED: MachineState.PAUSED,
    libvirt.VIR_DOMAIN_PMSUSPENDED: MachineState.ASLEEP,
    libvirt.VIR_DOMAIN_SHUTDOWN: MachineState.RUNNING,
    libvirt.VIR_DOMAIN_SHUTOFF: MachineState.OFF,
    libvirt.VIR_DOMAIN_CRASHED: MachineState.CRASHED,
}

SHUTDOWN = {
    PowerMethod.ACPI: libvirt.VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN,
    PowerMethod.AGENT: libvirt.VIR_DOMAIN_SHUTDOWN_GUEST_AGENT,
}

REBOOT = {
    PowerMethod.ACPI: libvirt.VIR_DOMAIN_REBOOT_ACPI_POWER_BTN,
    PowerMethod.AGENT: libvirt.VIR_DOMAIN_REBOOT_GUEST_AGENT,
}

SLEEP = {
    SleepState.S3: libvirt.VIR_NODE_SUSPEND_TARGET_MEM,
    SleepState.S4: libvirt.VIR_NODE_SUSPEND_TARGET_DISK,
}

KEY_CODES = {Key.ENTER: 28, Key.SPACE: 57}
"""Linux key codes (linux/input-event-codes.h)."""

KEY_MILLISECONDS = 100

MONITOR_COMMANDS = (
    "info status",
    "info cpus",
    "info registers -a",
    "x /16i $pc",
    "info registers -a",
)
"""Commands of QEMU's human monitor that show processors."""

VECTOR_REGISTER = re.compile(r"\s*((FPR|[XYZ]MM|Opmask|[DQSVZ])\d+|ZA)?(=|\[[0-9a-f-]+\]=)", re.I)
"""Start of a vector register's line in `info registers`, on x86 and Arm (continuations too)."""

LOG_LIMIT = 64 * 1024
SCREEN_LIMIT = 64 * 1024 * 1024


class LibvirtMachine:
    """See Machine."""

    def __init__(
        self,
        connection: libvirt.virConnect,
        domain: libvirt.virDomain,
        definition: MachineDefinition,
        events: EventLog,
    ) -> None:
        self._connection = connection
        self._domain = domain
        self._definition = definition
        self._events = events

    @property
    def name(self) -> str:
        """See Machine."""
        return self._definition.name

    @property
    def definition(self) -> MachineDefinition:
        """See Machine."""
        return self._definition

    @property
    def events(self) -> EventLog:
        """See Machine."""
        return self._events

    def state(self) -> MachineState:
        """See Machine."""
        with wrap_errors(f"reading the state of {self.name}"):
            return STATES.get(self._domain.state()[0], MachineState.OFF)

    def seconds_starved(self) -> float:
        """See Machine."""
        with wrap_errors(f"reading how long the processors of {self.name} waited"):
            return seconds_starved(self._domain)

    def start(self, *, paused: bool = False) -> None:
        """See Machine."""
        with wrap_errors(f"starting {self.name}"):
            self._domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED if paused else 0)

    def pause(self) -> None:
        """See Machine."""
        with wrap_errors(f"pausing {self.name}"):
            self._domain.suspend()

    def resume(self) -> None:
        """See Machine."""
        with wrap_errors(f"resuming {self.name}"):
            self._domain.resume()

    def shutdown(self, method: PowerMethod) -> None:
        """See Machine."""
        with wrap_errors(f"asking {self.name} to shut down by {method}"):
            self._domain.shutdownFlags(SHUTDOWN[method])

    def reboot(self, method: PowerMethod) -> None:
        """See Machine."""
        with wrap_errors(f"asking {self.name} to reboot by {method}"):
            self._domain.reboot(REBOOT[method])

    def reset(self) -> None:
        """See Machine."""
        with wrap_errors(f"resetting {self.name}"):
            self._domain.reset(0)

    def inject_nmi(self) -> None:
        """See Machine."""
        with wrap_errors(f"injecting an NMI into {self.name}"):
            self._domain.injectNMI()

    def power_off(self) -> None:
        """See Machine."""
        with wrap_errors(f"powering {self.name} off"), _unless_missing():
            self._domain.destroy()

    def save(self, state_file: Path) -> None:
        """See Machine."""
        with wrap_errors(f"saving {self.name}"):
            self._domain.save(str(state_file))

    def restore(self, state_file: Path, *, paused: bool = False) -> None:
        """See Machine."""
        flags = libvirt.VIR_DOMAIN_SAVE_PAUSED if paused else libvirt.VIR_DOMAIN_SAVE_RUNNING
        with wrap_errors(f"restoring {self.name}"):
            self._connection.restoreFlags(str(state_file), None, flags)

    def take_snapshot(self, name: str) -> None:
        """See Machine."""
        with wrap_errors(f"taking the snapshot {name} of {self.name}"):
            self._domain.snapshotCreateXML(snapshot_xml(name))

    def revert(self, name: str, *, paused: bool = False) -> None:
        """See Machine."""
        running = libvirt.VIR_DOMAIN_SNAPSHOT_REVERT_RUNNING
        flags = libvirt.VIR_DOMAIN_SNAPSHOT_REVERT_PAUSED if paused else running
        with wrap_errors(f"reverting {self.name} to its snapshot {name}"):
            self._domain.revertToSnapshot(self._domain.snapshotLookupByName(name), flags)
            # The stored definition is the snapshot's again, with its old lease.
            renew_domain(self._domain, self._definition.owner)

    def sleep(self, state: SleepState) -> None:
        """See Machine."""
        try:
            self._domain.pMSuspendForDuration(SLEEP[state], 0)
        except libvirt.libvirtError as error:
            raise translate_agent_error(f"the guest agent of {self.name}", error) from error

    def wake_up(self) -> None:
        """See Machine."""
        with wrap_errors(f"waking {self.name}"):
            self._domain.pMWakeup()

    def remove(self) -> None:
        """See Machine."""
        self.power_off()
        remove_domain(self._domain)

    def open_console(self) -> socket.socket:
        """See Machine."""
        return console.open_console(self._connection, self._domain)

    def agent_command(self, command: str, *, timeout: float) -> str:
        """See Machine."""
        try:
            answer: str = libvirt_qemu.qemuAgentCommand(
                self._domain, command, max(1, round(timeout)), 0
            )
        except libvirt.libvirtError as error:
            raise translate_agent_error(f"the guest agent of {self.name}", error) from error
        return answer

    def screenshot(self) -> bytes:
        """See Machine."""
        stream = self._connection.newStream(0)
        data = bytearray()
        with wrap_errors(f"taking a screenshot of {self.name}"):
            self._domain.screenshot(stream, 0, 0)
            while (chunk := stream.recv(65536)) and len(data) < SCREEN_LIMIT:
                data += chunk
            stream.finish()
        return _as_png(bytes(data))

    def press_key(self, key: Key) -> None:
        """See Machine."""
        codes = [KEY_CODES[key]]
        with wrap_errors(f"pressing a key of {self.name}"):
            self._domain.sendKey(
                libvirt.VIR_KEYCODE_SET_LINUX, KEY_MILLISECONDS, codes, len(codes), 0
            )

    def description(self) -> str:
        """See Machine."""
        with wrap_errors(f"reading the definition of {self.name}"):
            xml: str = self._domain.XMLDesc(0)
            return xml

    def hypervisor_log(self) -> str:
        """See Machine."""
        system = "system" in self._connection.getURI()
        folder = Path("/var/log/libvirt" if system else "~/.cache/libvirt").expanduser()
        try:
            with (folder / "qemu" / f"{self.name}.log").open("rb") as log:
                log.seek(0, io.SEEK_END)
                log.seek(max(0, log.tell() - LOG_LIMIT))
                return log.read().decode("utf-8", errors="replace")
        except OSError as error:
            return f"QEMU's log could not be read: {error}"

    def processors(self) -> str:
        """See ShowsProcessors. Twice, since only two samples distinguish a loop from a halt."""
        with wrap_errors(f"inspecting the processors of {self.name}"):
            lines = "\n".join(self._monitor(command) for command in MONITOR_COMMANDS).splitlines()
        return "\n".join(line for line in lines if not VECTOR_REGISTER.match(line))

    def _monitor(self, command: str) -> str:
        """The command and the answer of QEMU's human monitor."""
        human = libvirt_qemu.VIR_DOMAIN_QEMU_MONITOR_COMMAND_HMP
        answer: str = libvirt_qemu.qemuMonitorCommand(self._domain, command, human)
        return f"{command}\n{answer}"

    def move_nic(self, mac: str, network: str) -> None:
        """See Machine."""
        nic = next((nic for nic in self._definition.nics if nic.mac == mac), None)
        if nic is None:
            raise HypervisorError(f"{self.name} has no network card {mac}")
        moved = dataclasses.replace(nic, network=network)
        with wrap_errors(f"plugging {mac} of {self.name} into {network}"):
            self._domain.updateDeviceFlags(nic_xml(moved), libvirt.VIR_DOMAIN_AFFECT_LIVE)


def remove_domain(domain: libvirt.virDomain) -> None:
    """Undefine a powered-off domain with its NVRAM and snapshots (idempotent)."""
    everything = (
        libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | libvirt.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA
    )
    if domain.connect().getType() == "QEMU":  # libvirt's test driver has no NVRAM
        everything |= libvirt.VIR_DOMAIN_UNDEFINE_NVRAM
    with wrap_errors("undefining a machine"), _unless_missing():
        domain.undefineFlags(everything)


@contextlib.contextmanager
def _unless_missing() -> Iterator[None]:
    try:
        yield
    except libvirt.libvirtError as error:
        if not is_missing(error):
            raise


def _as_png(ppm: bytes) -> bytes:
    """A PNG of a binary portable pixmap (P6), the format of QEMU's screendump."""
    if ppm.startswith(b"\x89PNG"):
        return ppm
    fields = ppm.split(maxsplit=3)
    if len(fields) < 4 or fields[0] != b"P6":
        raise HypervisorError("the hypervisor's screenshot is neither PNG nor PPM")
    target = io.BytesIO()
    try:
        width, height = int(fields[1]), int(fields[2])
        pixels = fields[3][fields[3].index(b"\n") + 1 :]
        rows = (pixels[row * width * 3 : (row + 1) * width * 3] for row in range(height))
        png.Writer(width, height, greyscale=False, bitdepth=8).write(target, rows)
    except (ValueError, OverflowError, png.Error) as error:
        raise HypervisorError(f"the hypervisor's screenshot is damaged: {error}") from error
    return target.getvalue()
