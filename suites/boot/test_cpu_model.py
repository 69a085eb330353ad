"""boot.cpu_model: processors that the guest must start on, and one that it must refuse aloud."""

from harness.channels.console import ConsoleExpect
from harness.errors import NotApplicable
from harness.guests.guest import Guest
from harness.hypervisors.base import Capability, Hypervisor
from harness.plugin.markers import cost, feature, only_on, requires
from harness.profiles.hardware import ProcessorFloor
from harness.profiles.model import System

BASELINE = {
    ProcessorFloor.I486: "486",
    ProcessorFloor.I586: "pentium",
    ProcessorFloor.I686: "pentium3",
    ProcessorFloor.X86_64: "kvm64",
    ProcessorFloor.X86_64_V2: "Nehalem",
    ProcessorFloor.X86_64_V3: "Haswell-noTSX",
}
"""The least model, by libvirt's name, that offers all that a floor asks for."""

BELOW = {
    ProcessorFloor.I586: "486",
    ProcessorFloor.I686: "pentium",
    ProcessorFloor.X86_64: "pentium3",
    ProcessorFloor.X86_64_V2: "kvm64",
    ProcessorFloor.X86_64_V3: "Nehalem",
}
"""A model that lacks something which the floor asks for."""

REFUSALS = [
    r"requires an? [^\r\n]{1,60}CPU",
    r"CPU does not support x86-64-v\d",
    r"Attempted to kill init",
    r"This kernel requires the following features not present on the CPU",
    r"CPU you have does not support long mode",
]
"""What kernels, C libraries and loaders say on a processor that is too old for them."""


@feature("boot.cpu_model")
@requires(Capability.CPU_MODEL)
@cost(60)
def test_boots_on_the_least_processor(machine: Guest, hypervisor: Hypervisor) -> None:
    """The guest boots on a model that has just what its profile asks for, and finds its flags."""
    definition = machine.definition
    model = _model(BASELINE, machine)
    expected = hypervisor.processor_flags(model, definition.machine_type, definition.accelerator)
    assert expected, f"the hypervisor tells no flag of {model}"
    machine.redefine(cpu_model=model)

    machine.boot()

    assert machine.os.missing_flags(expected) == set()


@feature("boot.cpu_model")
@requires(Capability.CPU_MODEL)
@only_on(System.LINUX, because="Windows says why it does not start on its screen alone")
@cost(60)
def test_says_so_where_the_processor_is_too_old(machine: Guest) -> None:
    """On a model below its floor the guest does not start, and says why."""
    machine.redefine(cpu_model=_model(BELOW, machine))
    machine.crash_expected = True

    machine.power_on()

    said = ConsoleExpect(machine.console, 0).await_any(
        [*REFUSALS, r"login: "],
        awaited="a word about the processor that is too old",
        deadline=machine.budget(machine.profile.budgets.ready_seconds / 2),
    )
    assert b"login" not in said.group(0), "it started on a processor that its floor rules out"


def _model(models: dict[ProcessorFloor, str], machine: Guest) -> str:
    floor = machine.profile.hardware.cpu_floor
    if floor not in models:
        raise NotApplicable(f"there is no model for the floor {floor} that could be asked for")
    return models[floor]
