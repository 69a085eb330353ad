"""isolation.hypervisor_interface: the guest sees its hypervisor, and nothing of the host."""

from harness.errors import NotApplicable
from harness.guests.guest import Guest
from harness.hypervisors.base import MachineState
from harness.hypervisors.definitions import Accelerator
from harness.hypervisors.facets.host_services import HOST_SERVICES
from harness.oracles import cpuid
from harness.oracles.control import control
from harness.oracles.log import faults
from harness.oracles.vmbus import services_on
from harness.plugin.markers import cost, feature, only_on, requires
from harness.profiles.model import System

INSTRUCTIONS = "its kernel executes CPUID, RDMSR and WRMSR for its administrator"

SYSENTER = 0x174
"""The register IA32_SYSENTER_CS, which every 64-bit guest has and sets for itself."""

STATISTICS = 0x400000E0
"""Hyper-V's register of a partition's statistics page, for the root only."""

MARK = 0x6775657374636572
"""A value to write; its bit 0, which would enable a page, is clear."""


@feature("isolation.hypervisor_interface")
@only_on(System.LINUX, because=INSTRUCTIONS)
@cost(20)
def test_the_guest_sees_the_hypervisor_that_runs_it(guest: Guest) -> None:
    """The signature is that of the accelerator in the machine's definition."""
    linux = guest.linux
    with control():  # the same probe agrees with the kernel itself
        assert cpuid.is_virtual(linux.cpuid) == ("hypervisor" in linux.cpus.processor_flags())

    assert cpuid.is_virtual(linux.cpuid), "the processor reports no hypervisor"
    expected = cpuid.EXPECTED[guest.definition.accelerator]
    assert expected in cpuid.signatures(linux.cpuid)


@feature("isolation.hypervisor_interface")
@only_on(System.LINUX, because=INSTRUCTIONS)
@cost(20)
def test_a_guest_has_no_privilege_of_the_root(guest: Guest) -> None:
    """The guest has a child's privileges on Hyper-V, and none of the root's."""
    interface = cpuid.hyperv(guest.linux.cpuid)
    on_hyperv = guest.definition.accelerator is Accelerator.HYPERV
    assert interface or not on_hyperv, "Hyper-V does not show its own interface"
    if interface is None:
        raise NotApplicable("the hypervisor shows no Hyper-V interface, and so no privileges")
    with control():  # the same mask shows what every child has
        assert interface.access & cpuid.HYPERCALLS, "the mask lacks even what every guest has"
        assert not on_hyperv or interface.privileges & cpuid.MESSAGES == cpuid.MESSAGES
    if interface.own_hypervisor:
        raise NotApplicable("the guest is the root of a hypervisor of its own")

    assert interface.of_the_root == []


@feature("isolation.hypervisor_interface")
@only_on(System.LINUX, because=INSTRUCTIONS)
@cost(20)
def test_the_root_s_registers_are_out_of_reach(guest: Guest) -> None:
    """A register of the root's is refused; guest and machine continue undisturbed.

    TCG does not refuse an unknown register: it reads as 0, and ignores writes.
    Source: QEMU, target/i386/tcg/sysemu/misc_helper.c.
    """
    linux = guest.linux
    boot, before = linux.lifecycle.boot_id(), faults(guest)
    own = linux.read_msr(SYSENTER)
    with control():  # the same probes read and write a register that is the guest's own
        assert own is not None, "the probe reads no register at all"
        assert linux.write_msr(SYSENTER, own), "the probe writes no register at all"

    read, taken = linux.read_msr(STATISTICS), linux.write_msr(STATISTICS, MARK)
    kept = linux.read_msr(STATISTICS)

    if guest.definition.accelerator is Accelerator.TCG:
        assert (read or 0, kept or 0) == (0, 0), "a register that does not exist holds a value"
    else:
        assert (read, taken, kept) == (None, False, None), "the root's register is not refused"
    assert linux.read_msr(SYSENTER) == own
    assert linux.lifecycle.boot_id() == boot
    assert faults(guest) == before
    assert guest.machine.state() is MachineState.RUNNING


@feature("isolation.hypervisor_interface")
@requires(HOST_SERVICES)
@only_on(System.LINUX, because="its kernel lists the channels of Hyper-V's bus")
@cost(20)
def test_the_services_on_the_bus_are_those_that_the_host_offers(guest: Guest) -> None:
    """Each service that the host has enabled is on the guest's bus, and no other."""
    services = guest.machine.facet(HOST_SERVICES)
    offered = {name for name, state in services.states().items() if state.enabled}
    with control():  # something is offered, so that an empty bus would show
        assert offered, "the host offers no service at all"

    assert services_on(guest.linux.vmbus_classes()) == offered
