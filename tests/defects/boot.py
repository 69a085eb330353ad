"""The planted defects of the cases in suites/boot."""

from __future__ import annotations

from tests.defects.acts import (
    EXTRA_DISK,
    NO_BUTTON,
    NO_MEMORY_OF_VARIABLES,
    NO_MODULE,
    NO_PASSWORD,
    NOT_SECURE,
    OTHER_ADDRESS,
    Defect,
    after_boot,
    another_card,
    forgetful_machine,
    given_otherwise,
    ignored_keys,
    ignored_nmi,
    ignored_pause,
    ignored_revert,
    ignored_sleep,
    instead_of,
    lax_firmware,
    lost_swap,
    on_another_bus,
    on_every_guest,
    over,
    panic_instead_of_hang,
    script,
    started_instead_of_restored,
    watchdog_without_teeth,
    without_network_boot,
)

DEFECTS: dict[str, dict[str, Defect]] = {
    "suites/boot/test_clean_log.py": {
        "test_the_kernel_reports_no_fault": Defect(
            script("echo '<4>BUG: planted' > /dev/kmsg"), "BUG: planted"
        ),
        "test_no_unit_has_failed": Defect(
            script("systemd-run --unit=planted /bin/false; sleep 2"), "planted.service"
        ),
    },
    "suites/boot/test_clone.py": {
        "test_two_clones_of_an_image_have_their_own_identity": Defect(
            on_every_guest(over("/etc/machine-id", "0123456789abcdef0123456789abcdef\\n")),
            "machine id",
        ),
        "test_a_copy_notices_that_it_is_one": Defect(
            given_otherwise(lambda fields: fields | {"generation_id": False}), "no driver for it"
        ),
    },
    "suites/boot/test_console.py": {
        "test_logs_in_and_runs_a_command": Defect(script("echo guestcert:other | chpasswd")),
        "test_refuses_a_wrong_password": Defect(script(NO_PASSWORD)),
    },
    "suites/boot/test_cpu_model.py": {
        "test_says_that_a_lesser_processor_will_not_do": Defect(
            given_otherwise(lambda fields: fields | {"cpu_model": None})
        ),
        "test_boots_on_the_least_processor": Defect(
            given_otherwise(lambda fields: fields | {"cpu_model": None})
        ),
    },
    "suites/boot/test_crash.py": {
        "test_a_panic_is_told_by_the_device_and_the_console": Defect(
            script("mount --bind /dev/null /proc/sysrq-trigger")
        ),
        "test_a_hang_is_no_crash": Defect(panic_instead_of_hang, "panic|NMI"),
        "test_a_shutdown_is_no_crash": Defect(script(instead_of("poweroff"))),
    },
    "suites/boot/test_crash_dump.py": {
        "test_a_crash_leaves_a_whole_dump_and_the_guest_comes_back": Defect(
            after_boot('ln -sf /bin/true "$(command -v makedumpfile)"; sync')
        ),
    },
    "suites/boot/test_devices_named.py": {
        "test_boots_on_each_machine_type": Defect(
            given_otherwise(
                lambda fields: (
                    fields | {"machine_type": "pc" if fields["machine_type"] == "q35" else "q35"}
                )
            )
        ),
        "test_boots_from_a_disk_on_each_bus": Defect(given_otherwise(on_another_bus)),
        "test_has_an_address_on_each_network_card": Defect(given_otherwise(another_card)),
    },
    "suites/boot/test_display.py": {
        "test_the_screen_shows_what_is_typed": Defect(ignored_keys),
    },
    "suites/boot/test_driver_inventory.py": {
        "test_every_paravirtual_device_has_its_driver": Defect(
            script("modprobe -r virtio_balloon")
        ),
        "test_optional_drivers_load_again_and_again": Defect(
            script(NO_MODULE), "cannot be loaded again"
        ),
    },
    "suites/boot/test_entropy.py": {
        "test_the_host_s_random_device_is_used": Defect(
            script(over("/sys/class/misc/hw_random/rng_current", "none\\n"))
        ),
        "test_random_bytes_are_there_at_boot": Defect(after_boot(instead_of("head"))),
    },
    "suites/boot/test_firmware.py": {
        "test_boots_through_bios": Defect(
            after_boot(
                "mkdir -p /run/firmware/efi /run/firmware/memmap;"
                " mount --bind /run/firmware /sys/firmware"
            ),
            "reports that it was started through UEFI",
        ),
        "test_boots_through_uefi_and_keeps_its_boot_entry": Defect(
            after_boot(NO_MEMORY_OF_VARIABLES), "lost a variable"
        ),
    },
    "suites/boot/test_hardware.py": {
        "test_processors_are_as_defined": Defect(
            script(over("/sys/devices/system/cpu/present", "0-6\\n")), "assert 7 == "
        ),
        "test_memory_is_as_defined": Defect(
            script(over("/proc/meminfo", "MemTotal: 500000 kB\\n"))
        ),
        "test_disks_are_as_defined": Defect(script(EXTRA_DISK)),
        "test_nics_are_as_defined": Defect(
            script(
                "for n in /sys/class/net/e*; do"
                ' ip link set "$(basename "$n")" address 52:54:00:0:0:9; done'
            ),
            "52:54:00:00:00:09",
        ),
        "test_firmware_strings_are_as_defined": Defect(
            script(over("/sys/devices/virtual/dmi/id/sys_vendor", "other\\n")),
            "'other' == 'guestcert'",
        ),
    },
    "suites/boot/test_identity.py": {
        "test_is_the_system_of_its_profile": Defect(
            script(
                over("/etc/os-release", "NAME='Debian GNU/Linux'\\nVERSION_ID='13'\\nID=debian\\n")
            ),
            "its release is '13'",
        ),
    },
    "suites/boot/test_interrupted.py": {
        "test_an_nmi_reaches_the_guest": Defect(ignored_nmi),
        "test_the_watchdog_resets_a_guest_that_does_not_pet_it": Defect(watchdog_without_teeth),
    },
    "suites/boot/test_memory_minimum.py": {
        "test_boots_with_the_least_memory": Defect(
            after_boot(over("/proc/meminfo", "MemTotal: 300000 kB\\n"))
        ),
    },
    "suites/boot/test_network.py": {
        "test_has_the_address_that_the_network_leased": Defect(script(OTHER_ADDRESS)),
        "test_has_the_default_route": Defect(script("ip route del default"), r"assert \[\] == "),
        "test_resolves_names": Defect(
            script(
                "systemctl stop systemd-resolved; rm -f /etc/resolv.conf;"
                " echo nameserver 127.0.0.9 > /etc/resolv.conf"
            ),
            r"assert \[\] == ",
        ),
        "test_has_an_ipv6_address_of_the_network": Defect(
            script("sysctl -w net.ipv6.conf.all.disable_ipv6=1")
        ),
    },
    "suites/boot/test_order.py": {
        "test_boots_from_the_second_disk_where_the_first_is_blank": Defect(
            given_otherwise(lambda fields: fields | {"disks": fields["disks"][1:]})
        ),
        "test_falls_back_from_the_network_to_the_disk": Defect(
            given_otherwise(without_network_boot), "did not report that it tried the network"
        ),
    },
    "suites/boot/test_power.py": {
        "test_reboots_again_and_again_at_its_own_request": Defect(script(instead_of("reboot"))),
        "test_reboots_at_the_hosts_request": Defect(
            script(NO_BUTTON + "; systemctl mask reboot.target")
        ),
        "test_returns_from_a_hard_reset": Defect(
            script("mount -t tmpfs none /root"), "a file synced before the reset is missing"
        ),
        "test_stands_still_while_paused": Defect(ignored_pause, "PAUSED"),
    },
    "suites/boot/test_power_loss.py": {
        "test_every_acknowledged_write_survives_a_power_cut": Defect(
            script(instead_of("sync")), "an acknowledged write is lost"
        ),
    },
    "suites/boot/test_ready.py": {
        "test_boots_to_ready_within_its_budget": Defect(
            after_boot(over("/proc/uptime", "99999.0 1.0\\n")), "was up before it was started"
        ),
    },
    "suites/boot/test_save_restore.py": {
        "test_goes_on_after_save_and_restore": Defect(started_instead_of_restored),
    },
    "suites/boot/test_secure_boot.py": {
        "test_boots_with_secure_boot_enforced": Defect(after_boot(NOT_SECURE)),
        "test_an_unsigned_kernel_is_refused": Defect(lax_firmware),
        "test_an_unsigned_loader_is_refused": Defect(lax_firmware),
    },
    "suites/boot/test_sleep.py": {
        "test_sleeps_in_memory_and_wakes": Defect(ignored_sleep, "to fall asleep"),
        "test_sleeps_on_disk_and_wakes": Defect(lost_swap, "instead of resuming"),
    },
    "suites/boot/test_snapshot.py": {
        "test_three_snapshots_in_a_chain_can_be_gone_back_to": Defect(
            ignored_revert, "after reverting to"
        ),
    },
    "suites/boot/test_stays_up.py": {
        "test_nothing_is_lost_while_it_is_left_alone": Defect(
            after_boot("(sleep 60; systemctl stop systemd-timesyncd) >&- 2>&- &"),
            "services were lost",
        ),
    },
    "suites/boot/test_topology.py": {
        "test_processors_and_nodes_are_arranged_as_defined": Defect(
            given_otherwise(lambda fields: fields | {"topology": None})
        ),
    },
    "suites/boot/test_tpm.py": {
        "test_what_boots_is_measured": Defect(
            given_otherwise(lambda fields: fields | {"tpm": False})
        ),
        "test_sealed_data_opens_after_a_reboot": Defect(forgetful_machine),
    },
    "suites/boot/test_vcpus.py": {
        "test_all_processors_come_online": Defect(
            after_boot(over("/sys/devices/system/cpu/present", "0-6\\n")), "assert 7 == "
        ),
    },
}
"""By the file of the suite, then by the case's function."""
