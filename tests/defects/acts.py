"""The actions of planted defects: a script in the pristine guest, or a change to the machine.

A script that fakes a fact mounts its own file over the one that the case reads: the guest then
shows what a guest with that defect would show.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from harness.channels.base import CommandResult
from harness.events import Event
from harness.guests.guest import Answer, Guest
from harness.hypervisors.facets.display import KEYBOARD
from harness.hypervisors.facets.nics import NIC_MOVE
from harness.hypervisors.facets.power import NMI, SLEEP
from harness.hypervisors.facets.snapshots import SAVED_STATES, SNAPSHOTS
from harness.hypervisors.libvirt.host_rules import HostRules, remove_rules
from harness.lab.machine_slot import MachineSlot
from harness.profiles.hardware import Firmware
from harness.waiting import Deadline
from tests.defects.host_side import Act


@dataclass(frozen=True)
class Defect:
    """A planted defect: its action, and a pattern in the reason of the case that catches it."""

    act: Act
    shows: str = ""


def script(text: str) -> Act:
    """Run a shell script in the first guest."""
    return lambda guests: _run(guests[0], text)


def after_boot(text: str) -> Act:
    """Run a shell script in the first guest, which is still off, after each of its starts."""

    def act(guests: Sequence[Guest]) -> None:
        guest, boot = guests[0], guests[0].boot

        def boot_and_run() -> Answer:
            answer = boot()
            _run(guest, text)
            return answer

        guest.boot = boot_and_run  # type: ignore[method-assign]

    return act


def _run(guest: Guest, text: str) -> None:
    guest.linux.sh(text, seconds=60)


def over(path: str, content: str) -> str:
    """A script that shows other content at `path`."""
    return f'printf "%b" "{content}" > /run/planted && mount --bind /run/planted {path}'


def instead_of(program: str) -> str:
    """A script that replaces a program by `true`, which succeeds and does nothing."""
    # A shell would name its own builtin, and Debian 11 keeps these folders apart.
    places = " ".join(
        f"{folder}/{program}" for folder in ("/usr/bin", "/usr/sbin", "/bin", "/sbin")
    )
    return f'for p in {places}; do [ ! -e "$p" ] || mount --bind /bin/true "$p"; done'


def unit(name: str, *lines: str) -> str:
    """A script that changes a systemd unit."""
    text = "\\n".join(lines)
    folder = f"/run/systemd/system/{name}.d"
    return f'mkdir -p {folder}; printf "{text}\\n" > {folder}/planted.conf; systemctl daemon-reload'


def ignored_pause(guests: Sequence[Guest]) -> None:
    """A hypervisor that takes the request and pauses nothing."""
    guests[0].machine.pause = lambda: None  # type: ignore[method-assign]


def ignored_move(guests: Sequence[Guest]) -> None:
    """A hypervisor that leaves a network card where it is."""
    for guest in guests:
        guest.machine.facet(NIC_MOVE).move = lambda mac, network: None  # type: ignore[method-assign]


def open_host(guests: Sequence[Guest]) -> None:
    """A host that closes nothing to its guests: its rules are removed as soon as they are made."""
    opened = HostRules.open

    def open_and_remove(self: HostRules, ports: Sequence[int]) -> None:
        opened(self, ports)
        remove_rules(self.definition.bridge)

    HostRules.open = open_and_remove  # type: ignore[method-assign]


def shared_disk(guests: Sequence[Guest]) -> None:
    """A second guest that reads the first one's disk."""
    guests[1].os = guests[0].os


def old_content(fields: dict[str, Any]) -> dict[str, Any]:
    """A storage that hands out a new disk with the content of a deleted one."""
    *_, kept, new = fields["disks"]
    shutil.copyfile(kept.path, new.path)
    return fields


def same_guest_again(guests: Sequence[Guest]) -> None:
    """A lab that hands out the used guest again, once, instead of a fresh one."""
    restore_golden = MachineSlot.restore_golden

    def used(self: MachineSlot) -> Guest:
        MachineSlot.restore_golden = restore_golden  # type: ignore[method-assign]
        return guests[0]

    MachineSlot.restore_golden = used  # type: ignore[method-assign]


def stopped_agent(guests: Sequence[Guest]) -> None:
    """A guest whose agent has ended."""
    guests[0].shell().run(["systemctl", "stop", "qemu-guest-agent"], timeout=120)


def panic_instead_of_hang(guests: Sequence[Guest]) -> None:
    """A guest that dies where it should only hang."""
    guest, hang = guests[0], guests[0].os.lifecycle.hang
    _run(guest, "sysctl -w kernel.unknown_nmi_panic=1")

    def hang_and_die() -> None:
        hang()
        guest.machine.facet(NMI).inject()

    guest.os.lifecycle.hang = hang_and_die  # type: ignore[method-assign]


def heart_of_another(guests: Sequence[Guest]) -> None:
    """A hypervisor that reports a heartbeat whatever the guest does."""

    def answers(*, timeout: float = 0) -> bool:
        return True

    guests[0].agent.answers = answers  # type: ignore[method-assign]


def willing_to_run_anything(guests: Sequence[Guest]) -> None:
    """An agent that reports success for every program."""

    def run(arguments: Sequence[str], **_: object) -> CommandResult:
        return CommandResult(tuple(arguments), 0, b"", b"")

    guests[0].agent.run = run  # type: ignore[method-assign]


def given_otherwise(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Act:
    """A hypervisor that defines a machine differently than requested."""

    def act(guests: Sequence[Guest]) -> None:
        guest, redefine = guests[0], guests[0].redefine
        guest.redefine = lambda **fields: redefine(**change(fields))  # type: ignore[method-assign]

    return act


def on_another_bus(fields: dict[str, Any]) -> dict[str, Any]:
    """The root disk's bus is not the requested one."""
    root, *others = fields["disks"]
    bus = "virtio" if root.bus != "virtio" else "scsi"
    return fields | {"disks": [dataclasses.replace(root, bus=bus), *others]}


def another_card(fields: dict[str, Any]) -> dict[str, Any]:
    """The network card's model is not the requested one."""
    (nic,) = fields["nics"]
    model = "virtio" if nic.model != "virtio" else "e1000"
    return fields | {"nics": [dataclasses.replace(nic, model=model)]}


def without_network_boot(fields: dict[str, Any]) -> dict[str, Any]:
    """The network is not tried."""
    nics = [dataclasses.replace(nic, boot_order=None) for nic in fields["nics"]]
    return fields | {"nics": nics}


def watchdog_without_teeth(guests: Sequence[Guest]) -> None:
    """A watchdog that fires and resets nothing."""
    guest, boot = guests[0], guests[0].boot
    action = json.dumps({"execute": "watchdog-set-action", "arguments": {"action": "none"}})

    def boot_and_pull() -> Answer:
        answer = boot()
        subprocess.run(["virsh", "qemu-monitor-command", guest.name, action], check=True)
        budgets = guest.profile.budgets.model_copy(update={"ready_seconds": 8})
        guest.profile = guest.profile.model_copy(update={"budgets": budgets})
        return answer

    guest.boot = boot_and_pull  # type: ignore[method-assign]


def ignored_nmi(guests: Sequence[Guest]) -> None:
    """A hypervisor that interrupts nothing."""
    guests[0].machine.facet(NMI).inject = lambda: None  # type: ignore[method-assign]


def ignored_keys(guests: Sequence[Guest]) -> None:
    """A keyboard that is not connected."""
    guests[0].machine.facet(KEYBOARD).press = lambda key: None  # type: ignore[method-assign]


def lax_firmware(guests: Sequence[Guest]) -> None:
    """A firmware that requires no signature."""
    guest = guests[0]
    guest.redefine(firmware=Firmware.UEFI, nvram=guest.folder / "nvram-lax.fd")


def on_every_guest(text: str) -> Act:
    """Run a shell script in every guest, which is still off, after each of its starts."""

    def act(guests: Sequence[Guest]) -> None:
        for guest in guests:
            after_boot(text)([guest])

    return act


def forgetful_machine(guests: Sequence[Guest]) -> None:
    """A machine that is redefined at each power-off: the state of its chips is lost."""
    guest, shut_down = guests[0], guests[0].shut_down

    def shut_down_and_forget() -> None:
        shut_down()
        guest.redefine()

    guest.shut_down = shut_down_and_forget  # type: ignore[method-assign]


def started_instead_of_restored(guests: Sequence[Guest]) -> None:
    """A hypervisor that starts a guest from scratch where it should restore it."""
    machine = guests[0].machine
    machine.facet(SAVED_STATES).restore = (  # type: ignore[method-assign]
        lambda state_file, *, paused=False: machine.start(paused=paused)
    )


def ignored_revert(guests: Sequence[Guest]) -> None:
    """A hypervisor that reverts nothing."""
    machine = guests[0].machine
    machine.facet(SNAPSHOTS).revert = (  # type: ignore[method-assign]
        lambda name, *, paused=False: machine.pause()
    )


def ignored_sleep(guests: Sequence[Guest]) -> None:
    """A hypervisor that ignores the request to sleep."""
    guests[0].machine.facet(SLEEP).sleep = lambda state: None  # type: ignore[method-assign]


def lost_swap(guests: Sequence[Guest]) -> None:
    """A disk that loses what was written to it while the machine was off."""
    guest, await_off = guests[0], guests[0].await_off
    offs: list[Event] = []

    def await_off_and_lose(since: int, deadline: Deadline) -> Event:
        offs.append(await_off(since, deadline))
        if len(offs) == 2:  # the first time it was only prepared
            swap = str(guest.folder / "swap.qcow2")
            size = f"{2 * guest.definition.memory_mib}M"
            subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", swap, size], check=True)
        return offs[-1]

    guest.await_off = await_off_and_lose  # type: ignore[method-assign]


NOT_SECURE = over(
    "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c",
    "\\0006\\0000\\0000\\0000\\0000",
)

NO_MODULE = "echo install virtio_rng /bin/false > /etc/modprobe.d/planted.conf"

EXTRA_DISK = "modprobe scsi_debug dev_size_mb=8; until [ -e /sys/block/sda ]; do sleep 0.2; done"

EXTRA_PCI = """mkdir -p /run/pci/planted
for d in /sys/bus/pci/devices/*; do ln -s "$(readlink -f "$d")" "/run/pci/$(basename "$d")"; done
echo 0x10de > /run/pci/planted/vendor; echo 0x1234 > /run/pci/planted/device
mount --bind /run/pci /sys/bus/pci/devices"""

EXTRA_PORT = """mkdir -p /run/ports/own /run/ports/planted
echo org.qemu.guest_agent.0 > /run/ports/own/name; echo com.planted > /run/ports/planted/name
mount --bind /run/ports /sys/class/virtio-ports"""

NO_PASSWORD = """printf 'auth optional pam_unix.so\\nauth sufficient pam_permit.so\\n' > /run/pam
cat /etc/pam.d/login >> /run/pam; cat /run/pam > /etc/pam.d/login"""

NO_BUTTON = """mkdir -p /run/systemd/logind.conf.d
printf '[Login]\\nHandlePowerKey=ignore\\n' > /run/systemd/logind.conf.d/planted.conf
systemctl restart systemd-logind"""

OTHER_ADDRESS = """nic=$(basename "$(dirname /sys/class/net/e*/device)")
ip address flush dev "$nic"; ip address add 10.99.0.5/24 dev "$nic\""""

NO_MEMORY_OF_VARIABLES = """for v in /sys/firmware/efi/efivars/GuestcertMark-*; do
[ -e "$v" ] || continue; chattr -i "$v" || true; rm "$v"; done"""
