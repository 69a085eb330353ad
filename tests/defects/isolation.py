"""The planted defects of the cases in suites/isolation."""

from __future__ import annotations

from tests.defects.acts import (
    EXTRA_DISK,
    EXTRA_PCI,
    EXTRA_PORT,
    Defect,
    given_otherwise,
    ignored_move,
    old_content,
    open_host,
    same_guest_again,
    script,
    shared_disk,
)
from tests.defects.processor import ANOTHER_HYPERVISOR, EVERY_REGISTER, privileged

DEFECTS: dict[str, dict[str, Defect]] = {
    "suites/isolation/test_devices.py": {
        "test_pci_devices_are_those_defined": Defect(script(EXTRA_PCI), "10de:1234"),
        "test_there_are_no_usb_devices": Defect(script("modprobe vhci_hcd")),
        "test_block_devices_are_those_defined": Defect(script(EXTRA_DISK)),
        "test_channels_are_those_defined": Defect(script(EXTRA_PORT), "com.planted"),
    },
    "suites/isolation/test_disk.py": {
        "test_writes_stay_on_their_own_disk": Defect(shared_disk, "on B's disk"),
        "test_what_was_written_goes_with_its_disk": Defect(
            same_guest_again, "a disk made again holds"
        ),
        "test_a_new_disk_reads_zeros": Defect(given_otherwise(old_content), "== 0"),
    },
    "suites/isolation/test_hypervisor_interface.py": {
        "test_the_guest_sees_the_hypervisor_that_runs_it": Defect(script(ANOTHER_HYPERVISOR)),
        "test_a_guest_has_no_privilege_of_the_root": Defect(privileged),
        "test_the_root_s_registers_are_out_of_reach": Defect(script(EVERY_REGISTER)),
        "test_the_services_on_the_bus_are_those_that_the_host_offers": Defect(
            script("mount -t tmpfs none /sys/bus/vmbus/devices")
        ),
    },
    "suites/isolation/test_network_host.py": {
        "test_reaches_no_service_of_the_host": Defect(
            open_host, "a guest reaches services of its host"
        ),
    },
    "suites/isolation/test_network_segment.py": {
        "test_nothing_crosses_between_segments": Defect(
            ignored_move, "crosses from one network into another"
        ),
    },
}
"""By the file of the suite, then by the case's function."""
