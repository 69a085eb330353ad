"""Each case's defect: a script run in the pristine guest, or an act on the machine from outside.

Where a script lies about a fact, it binds a file of its own over the one that the case reads: the
guest then shows what a guest with that defect would show.
"""

from __future__ import annotations

import dataclasses
import json
import subprocess
from collections.abc import Callable, Sequence
from typing import Any

from harness.channels.base import CommandResult
from harness.events import Event
from harness.guests.guest import Answer, Guest
from harness.lab.place import Place
from harness.profiles.hardware import Firmware
from harness.waiting import Deadline
from tests.defects.host_side import HOST_SIDE, Act
from tests.defects.processor import ANOTHER_HYPERVISOR, EVERY_REGISTER, privileged


def script(text: str) -> Act:
    """Run a shell script in the first guest."""
    return lambda guests: _run(guests[0], text)


def after_boot(text: str) -> Act:
    """Run a shell script in the first guest, which is off yet, after each of its starts."""

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
    """A script that puts `true` in a program's place: it ends well and does nothing."""
    # A shell would name its own builtin, and Debian 11 has not merged these folders.
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
        guest.machine.move_nic = lambda mac, network: None  # type: ignore[method-assign]


def shared_disk(guests: Sequence[Guest]) -> None:
    """A second guest that reads the first one's disk."""
    guests[1].os = guests[0].os


def same_guest_again(guests: Sequence[Guest]) -> None:
    """A lab that hands out the used guest again, once, instead of a fresh one."""
    pristine = Place.pristine

    def used(self: Place) -> Guest:
        Place.pristine = pristine  # type: ignore[method-assign]
        return guests[0]

    Place.pristine = used  # type: ignore[method-assign]


def stopped_agent(guests: Sequence[Guest]) -> None:
    """A guest whose agent has ended."""
    guests[0].shell().run(["systemctl", "stop", "qemu-guest-agent"], timeout=120)


def willing_to_run_anything(guests: Sequence[Guest]) -> None:
    """An agent that says of every program that it ran well."""

    def run(arguments: Sequence[str], **_: object) -> CommandResult:
        return CommandResult(tuple(arguments), 0, b"", b"")

    guests[0].agent.run = run  # type: ignore[method-assign]


def given_otherwise(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Act:
    """A hypervisor that makes a machine otherwise than it is told to."""

    def act(guests: Sequence[Guest]) -> None:
        guest, redefine = guests[0], guests[0].redefine
        guest.redefine = lambda **told: redefine(**change(told))  # type: ignore[method-assign]

    return act


def on_another_bus(told: dict[str, Any]) -> dict[str, Any]:
    """The root disk's bus is not the one that was asked for."""
    root, *others = told["disks"]
    bus = "virtio" if root.bus != "virtio" else "scsi"
    return told | {"disks": [dataclasses.replace(root, bus=bus), *others]}


def another_card(told: dict[str, Any]) -> dict[str, Any]:
    """The network card's model is not the one that was asked for."""
    (nic,) = told["nics"]
    model = "virtio" if nic.model != "virtio" else "e1000"
    return told | {"nics": [dataclasses.replace(nic, model=model)]}


def without_network_boot(told: dict[str, Any]) -> dict[str, Any]:
    """The network is not tried."""
    nics = [dataclasses.replace(nic, boot_order=None) for nic in told["nics"]]
    return told | {"nics": nics}


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
    guests[0].machine.inject_nmi = lambda: None  # type: ignore[method-assign]


def ignored_keys(guests: Sequence[Guest]) -> None:
    """A keyboard that reaches nobody."""
    guests[0].machine.press_key = lambda key: None  # type: ignore[method-assign]


def lax_firmware(guests: Sequence[Guest]) -> None:
    """A firmware that asks for no signature."""
    guest = guests[0]
    guest.redefine(firmware=Firmware.UEFI, nvram=guest.folder / "nvram-lax.fd")


def on_every_guest(text: str) -> Act:
    """Run a shell script in every guest, which is off yet, after each of its starts."""

    def act(guests: Sequence[Guest]) -> None:
        for guest in guests:
            after_boot(text)([guest])

    return act


def forgetful_machine(guests: Sequence[Guest]) -> None:
    """A machine that is made anew at each power-off: what its chips kept is gone."""
    guest, shut_down = guests[0], guests[0].shut_down

    def shut_down_and_forget() -> None:
        shut_down()
        guest.redefine()

    guest.shut_down = shut_down_and_forget  # type: ignore[method-assign]


def started_instead_of_restored(guests: Sequence[Guest]) -> None:
    """A hypervisor that starts a guest anew where it should go on."""
    machine = guests[0].machine
    machine.restore = (  # type: ignore[method-assign]
        lambda state_file, *, paused=False: machine.start(paused=paused)
    )


def ignored_revert(guests: Sequence[Guest]) -> None:
    """A hypervisor that goes back to nothing."""
    machine = guests[0].machine
    machine.revert = lambda name, *, paused=False: machine.pause()  # type: ignore[method-assign]


def ignored_sleep(guests: Sequence[Guest]) -> None:
    """A hypervisor that asks nobody to sleep."""
    guests[0].machine.sleep = lambda state: None  # type: ignore[method-assign]


def lost_swap(guests: Sequence[Guest]) -> None:
    """A disk that loses what was written to it while the machine was off."""
    guest, await_off = guests[0], guests[0].await_off
    offs: list[Event] = []

    def await_off_and_lose(since: int, deadline: Deadline) -> Event:
        offs.append(await_off(since, deadline))
        if len(offs) == 2:  # the first time it was only made ready
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

DEFECTS: dict[str, Act] = {
    # Cases that start their machine themselves.
    "test_boots_to_ready_within_its_budget": after_boot(over("/proc/uptime", "99999.0 1.0\\n")),
    "test_all_processors_come_online": after_boot(
        over("/sys/devices/system/cpu/present", "0-6\\n")
    ),
    "test_boots_through_bios": after_boot(
        "mkdir -p /run/firmware/efi /run/firmware/memmap; mount --bind /run/firmware /sys/firmware"
    ),
    "test_boots_through_uefi_and_keeps_its_boot_entry": after_boot(NO_MEMORY_OF_VARIABLES),
    # boot.console
    "test_logs_in_and_runs_a_command": script("echo guestcert:other | chpasswd"),
    "test_refuses_a_wrong_password": script(NO_PASSWORD),
    # boot.identity
    "test_is_the_system_of_its_profile": script(
        over("/etc/os-release", "NAME='Debian GNU/Linux'\\nVERSION_ID='13'\\nID=debian\\n")
    ),
    # boot.clean_log
    "test_the_kernel_reports_no_fault": script("echo '<4>BUG: planted' > /dev/kmsg"),
    "test_no_unit_has_failed": script("systemd-run --unit=planted /bin/false; sleep 2"),
    # boot.hardware
    "test_processors_are_as_defined": script(over("/sys/devices/system/cpu/present", "0-6\\n")),
    "test_memory_is_as_defined": script(over("/proc/meminfo", "MemTotal: 500000 kB\\n")),
    "test_disks_are_as_defined": script(EXTRA_DISK),
    "test_nics_are_as_defined": script(
        'for n in /sys/class/net/e*; do ip link set "$(basename "$n")" address 52:54:00:0:0:9; done'
    ),
    "test_firmware_strings_are_as_defined": script(
        over("/sys/devices/virtual/dmi/id/sys_vendor", "other\\n")
    ),
    # boot.network
    "test_has_the_address_that_the_network_leased": script(OTHER_ADDRESS),
    "test_has_the_default_route": script("ip route del default"),
    "test_resolves_names": script(
        "systemctl stop systemd-resolved; rm -f /etc/resolv.conf;"
        " echo nameserver 127.0.0.9 > /etc/resolv.conf"
    ),
    "test_has_an_ipv6_address_of_the_network": script("sysctl -w net.ipv6.conf.all.disable_ipv6=1"),
    # boot.reboot, boot.reset, boot.pause
    "test_reboots_again_and_again_at_its_own_request": script(instead_of("reboot")),
    "test_reboots_at_the_hosts_request": script(NO_BUTTON + "; systemctl mask reboot.target"),
    "test_returns_from_a_hard_reset": script("mount -t tmpfs none /root"),
    "test_stands_still_while_paused": ignored_pause,
    # boot.machine_type and what else the profile names
    "test_boots_on_each_machine_type": given_otherwise(
        lambda told: told | {"machine_type": "pc" if told["machine_type"] == "q35" else "q35"}
    ),
    "test_boots_from_a_disk_on_each_bus": given_otherwise(on_another_bus),
    "test_has_an_address_on_each_network_card": given_otherwise(another_card),
    "test_boots_with_the_least_memory": after_boot(over("/proc/meminfo", "MemTotal: 300000 kB\\n")),
    "test_processors_and_nodes_are_arranged_as_defined": given_otherwise(
        lambda told: told | {"topology": None}
    ),
    "test_boots_from_the_second_disk_where_the_first_is_blank": given_otherwise(
        lambda told: told | {"disks": told["disks"][1:]}
    ),
    "test_falls_back_from_the_network_to_the_disk": given_otherwise(without_network_boot),
    # boot.nmi, boot.watchdog, boot.crash_detected, boot.power_loss
    "test_an_nmi_reaches_the_guest": ignored_nmi,
    "test_the_watchdog_resets_a_guest_that_does_not_pet_it": watchdog_without_teeth,
    "test_a_panic_is_told_by_the_device_and_the_console": script(
        "mount --bind /dev/null /proc/sysrq-trigger"
    ),
    "test_a_hang_is_no_crash": script(instead_of("chrt")),
    "test_a_shutdown_is_no_crash": script(instead_of("poweroff")),
    "test_every_acknowledged_write_survives_a_power_cut": script(instead_of("sync")),
    "test_a_crash_leaves_a_whole_dump_and_the_guest_comes_back": after_boot(
        'ln -sf /bin/true "$(command -v makedumpfile)"; sync'
    ),
    # boot.tpm, boot.stays_up, boot.cpu_model
    "test_what_boots_is_measured": given_otherwise(lambda told: told | {"tpm": False}),
    "test_sealed_data_opens_after_a_reboot": forgetful_machine,
    "test_nothing_is_lost_while_it_is_left_alone": after_boot(
        "(sleep 60; systemctl stop systemd-timesyncd) >&- 2>&- &"
    ),
    "test_says_that_a_lesser_processor_will_not_do": given_otherwise(
        lambda told: told | {"cpu_model": None}
    ),
    "test_boots_on_the_least_processor": given_otherwise(lambda told: told | {"cpu_model": None}),
    # boot.save_restore, boot.snapshot, boot.suspend_ram, boot.suspend_disk, boot.clone
    "test_goes_on_after_save_and_restore": started_instead_of_restored,
    "test_three_snapshots_in_a_chain_can_be_gone_back_to": ignored_revert,
    "test_sleeps_in_memory_and_wakes": ignored_sleep,
    "test_sleeps_on_disk_and_wakes": lost_swap,
    "test_two_clones_of_an_image_have_their_own_identity": on_every_guest(
        over("/etc/machine-id", "0123456789abcdef0123456789abcdef\\n")
    ),
    "test_a_copy_notices_that_it_is_one": given_otherwise(
        lambda told: told | {"generation_id": False}
    ),
    # boot.display, boot.entropy, boot.driver_inventory
    "test_the_screen_shows_what_is_typed": ignored_keys,
    "test_the_host_s_random_device_is_used": script(
        over("/sys/class/misc/hw_random/rng_current", "none\\n")
    ),
    "test_random_bytes_are_there_at_boot": after_boot(instead_of("head")),
    "test_every_paravirtual_device_has_its_driver": script("modprobe -r virtio_balloon"),
    "test_optional_drivers_load_again_and_again": script(NO_MODULE),
    # boot.secure_boot
    "test_boots_with_secure_boot_enforced": after_boot(NOT_SECURE),
    "test_an_unsigned_kernel_is_refused": lax_firmware,
    "test_an_unsigned_loader_is_refused": lax_firmware,
    # integration.heartbeat
    "test_the_host_sees_a_living_guest": stopped_agent,
    "test_is_lost_when_the_service_stops_and_returns": script(
        unit("qemu-guest-agent.service", "[Service]", "ExecStart=", "ExecStart=/bin/sleep 999")
    ),
    "test_is_lost_when_the_guest_hangs": script(instead_of("chrt")),
    "test_is_lost_when_the_guest_panics": script("mount --bind /dev/null /proc/sysrq-trigger"),
    "test_paused_is_told_apart_from_lost": ignored_pause,
    # integration.shutdown
    "test_shuts_down_clean_on_both_sides": script(NO_BUTTON + "; systemctl mask poweroff.target"),
    "test_request_fails_while_the_service_is_off": script(
        unit("qemu-guest-agent.service", "[Unit]", "RefuseManualStop=yes")
    ),
    "test_works_under_load": script(NO_BUTTON),
    **HOST_SIDE,
    # integration.exec
    "test_exit_status_and_both_streams": willing_to_run_anything,
    "test_a_mebibyte_of_output_arrives_whole": script(instead_of("cat")),
    "test_text_that_is_not_ascii_arrives": script(instead_of("printf")),
    "test_a_command_that_takes_too_long_is_killed": willing_to_run_anything,
    "test_environment_arrives": script(instead_of("printenv")),
    "test_nothing_is_interpreted_by_a_shell": script(instead_of("printf")),
    "test_a_missing_program_is_an_error": willing_to_run_anything,
    # isolation
    "test_pci_devices_are_those_defined": script(EXTRA_PCI),
    "test_there_are_no_usb_devices": script("modprobe vhci_hcd"),
    "test_block_devices_are_those_defined": script(EXTRA_DISK),
    "test_channels_are_those_defined": script(EXTRA_PORT),
    "test_writes_stay_on_their_own_disk": shared_disk,
    "test_a_new_disk_reads_zeros": same_guest_again,
    "test_nothing_crosses_between_segments": ignored_move,
    # isolation.hypervisor_interface
    "test_the_guest_sees_the_hypervisor_that_runs_it": script(ANOTHER_HYPERVISOR),
    "test_a_guest_has_no_privilege_of_the_root": privileged,
    "test_the_root_s_registers_are_out_of_reach": script(EVERY_REGISTER),
    "test_the_services_on_the_bus_are_those_that_the_host_offers": script(
        "mount -t tmpfs none /sys/bus/vmbus/devices"
    ),
}
"""By the case's function name."""
