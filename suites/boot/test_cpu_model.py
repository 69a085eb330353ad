"""boot.cpu_model: the least processor that the guest must start on."""

from harness.errors import NotApplicable
from harness.guests.guest import Guest
from harness.hypervisors.base import Capability, Hypervisor
from harness.plugin.markers import cost, feature, requires
from harness.profiles.hardware import ProcessorFloor

BASELINE = {
    ProcessorFloor.I486: "486",
    ProcessorFloor.I586: "pentium",
    ProcessorFloor.I686: "pentium3",
    ProcessorFloor.X86_64: "kvm64",
    ProcessorFloor.X86_64_V2: "Nehalem",
    ProcessorFloor.X86_64_V3: "Haswell-noTSX",
}
"""The least model, by libvirt's name, that offers all that a floor asks for."""

BEYOND = {
    "486": "cx8",
    "pentium": "cmov",
    "pentium3": "sse2",
    "kvm64": "ssse3",
    "Nehalem": "avx",
    "Haswell-noTSX": "avx512f",
}
"""A flag that the model lacks, and that all of the next ones have."""


@feature("boot.cpu_model")
@requires(Capability.CPU_MODEL)
@cost(60)
def test_boots_on_the_least_processor(machine: Guest, hypervisor: Hypervisor) -> None:
    """The guest boots on a model that has just what its profile asks for, and finds no more."""
    definition = machine.definition
    model = _least_model(machine)
    expected = hypervisor.processor_flags(model, definition.machine_type, definition.accelerator)
    assert expected, f"the hypervisor tells no flag of {model}"
    machine.redefine(cpu_model=model)

    machine.boot()

    assert machine.os.missing_flags(expected) == set()
    # The control: it was the least processor, and not all that the host can do.
    assert BEYOND[model] not in expected
    assert machine.os.missing_flags({BEYOND[model]}) == {BEYOND[model]}, "a greater processor"


def _least_model(machine: Guest) -> str:
    floor = machine.profile.hardware.cpu_floor
    if floor not in BASELINE:
        raise NotApplicable(f"there is no model for the floor {floor} that could be asked for")
    return BASELINE[floor]
