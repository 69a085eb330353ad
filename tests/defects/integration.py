"""The planted defects of the cases in suites/integration."""

from __future__ import annotations

from harness.hypervisors.facets.host_services import DATA_EXCHANGE, HOST_SERVICES
from harness.hypervisors.facets.memory import MEMORY
from harness.hypervisors.facets.metering import METERING
from harness.hypervisors.facets.network_policy import NETWORK_POLICY
from harness.hypervisors.facets.snapshots import PRODUCTION_SNAPSHOTS, SNAPSHOTS
from tests.defects.acts import (
    NO_BUTTON,
    Defect,
    heart_of_another,
    ignored_pause,
    instead_of,
    script,
    stopped_agent,
    unit,
    willing_to_run_anything,
)
from tests.defects.host_side import deaf_host

DEFECTS: dict[str, dict[str, Defect]] = {
    "suites/integration/test_exec.py": {
        "test_exit_status_and_both_streams": Defect(willing_to_run_anything, "== 42"),
        "test_a_mebibyte_of_output_arrives_whole": Defect(script(instead_of("cat"))),
        "test_text_that_is_not_ascii_arrives": Defect(script(instead_of("printf"))),
        "test_a_command_that_takes_too_long_is_killed": Defect(willing_to_run_anything),
        "test_environment_arrives": Defect(script(instead_of("printenv"))),
        "test_nothing_is_interpreted_by_a_shell": Defect(script(instead_of("printf"))),
        "test_a_missing_program_is_an_error": Defect(willing_to_run_anything),
    },
    "suites/integration/test_heartbeat.py": {
        "test_the_host_sees_a_living_guest": Defect(stopped_agent, "LOST"),
        "test_is_lost_when_the_service_stops_and_returns": Defect(
            script(
                unit(
                    "qemu-guest-agent.service",
                    "[Service]",
                    "ExecStart=",
                    "ExecStart=/bin/sleep 999",
                )
            ),
            "LOST|heartbeat",
        ),
        "test_is_lost_when_the_guest_hangs": Defect(heart_of_another, "LOST|lost"),
        "test_is_lost_when_the_guest_panics": Defect(
            script("mount --bind /dev/null /proc/sysrq-trigger"), "the heartbeat of"
        ),
        "test_paused_is_told_apart_from_lost": Defect(ignored_pause, "PAUSED"),
    },
    "suites/integration/test_host_services.py": {
        "test_the_host_switches_each_service_off_and_on": Defect(
            deaf_host(HOST_SERVICES, "switch")
        ),
        "test_the_host_keeps_the_pairs_that_it_gives": Defect(
            deaf_host(DATA_EXCHANGE, "modify_pair")
        ),
        "test_the_host_takes_checkpoints_of_a_machine_that_is_off": Defect(
            deaf_host(SNAPSHOTS, "remove")
        ),
        "test_the_host_takes_production_checkpoints_of_a_machine_that_is_off": Defect(
            deaf_host(PRODUCTION_SNAPSHOTS, "take")
        ),
        "test_the_host_resizes_the_memory_of_a_machine_that_is_off": Defect(
            deaf_host(MEMORY, "resize")
        ),
        "test_the_host_puts_a_network_card_into_vlans": Defect(
            deaf_host(NETWORK_POLICY, "set_vlan")
        ),
        "test_the_host_switches_each_guard_of_a_network_card": Defect(
            deaf_host(NETWORK_POLICY, "set_guards")
        ),
        "test_the_host_meters_a_machine_that_is_off": Defect(deaf_host(METERING, "start")),
    },
    "suites/integration/test_shutdown.py": {
        "test_reboots_at_the_hosts_request": Defect(script("systemctl mask reboot.target")),
        "test_shuts_down_clean_on_both_sides": Defect(
            script(NO_BUTTON + "; systemctl mask poweroff.target")
        ),
        "test_request_fails_while_the_service_is_off": Defect(
            script(unit("qemu-guest-agent.service", "[Unit]", "RefuseManualStop=yes")),
            "systemctl stop",
        ),
        "test_works_under_load": Defect(script(NO_BUTTON), "to power off"),
    },
}
"""By the file of the suite, then by the case's function."""
