"""boot.cpu_model: the least processor that the guest must start on, and a lesser one."""

import re

from harness.channels.console import ConsoleExpect
from harness.channels.console_login import LOGIN_PROMPT
from harness.errors import NotApplicable
from harness.guests.guest import Guest
from harness.hypervisors.base import Hypervisor
from harness.hypervisors.facets.cpu_models import CPU_MODELS
from harness.oracles.control import control
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
"""The least model, by libvirt's name, with everything that a floor requires."""

BEYOND = {
    "486": "cx8",
    "pentium": "cmov",
    "pentium3": "sse2",
    "kvm64": "ssse3",
    "Nehalem": "avx",
    "Haswell-noTSX": "avx512f",
}
"""A flag that the model lacks, and that all of the next ones have."""

BELOW = {ProcessorFloor.X86_64_V2: "kvm64", ProcessorFloor.X86_64_V3: "Nehalem"}
"""A model below a floor on which the system still starts far enough to report the refusal."""

REFUSALS = [
    r"CPU does not support x86-64-v\d",
    r"CPU ISA level is lower than required",
    r"requires an? [\w-]{1,60} CPU",
]
"""The refusals of glibc (Red Hat's, then all others') and of the kernel."""


@feature("boot.cpu_model")
@requires(CPU_MODELS)
@cost(60)
def test_boots_on_the_least_processor(machine: Guest, hypervisor: Hypervisor) -> None:
    """The guest boots on a model with just what its profile requires, and finds no more."""
    definition = machine.definition
    model = _least_model(machine)
    expected = hypervisor.facet(CPU_MODELS).flags(
        model, definition.machine_type, definition.accelerator
    )
    with control():
        assert expected, f"the hypervisor lists no flag of {model}"
        assert BEYOND[model] not in expected
    machine.redefine(cpu_model=model)

    machine.boot()

    assert machine.os.cpus.missing_flags(expected) == set()
    # It was the least processor, and not the host's own.
    assert machine.os.cpus.missing_flags({BEYOND[model]}) == {BEYOND[model]}, "a greater processor"


@feature("boot.cpu_model")
@requires(CPU_MODELS)
@only_on(System.LINUX, because="it matches the messages of Linux's C library and kernel")
@cost(60)
def test_says_that_a_lesser_processor_will_not_do(machine: Guest) -> None:
    """On a processor below its floor the guest does not start, and states why."""
    least, lesser = _least_model(machine), _model_below(machine)
    machine.redefine(cpu_model=lesser)

    machine.power_on()

    found = ConsoleExpect(machine.console, 0).await_any(
        [*REFUSALS, LOGIN_PROMPT],
        awaited="the guest to refuse its processor",
        deadline=machine.budget(machine.profile.budgets.ready_seconds),
    )
    refused = found.re.pattern != LOGIN_PROMPT.encode()
    assert refused, f"it came to its login prompt on {lesser}, which is below its floor"
    machine.machine.power_off()
    machine.hang_up()
    machine.redefine(cpu_model=least)
    with control():  # on the least processor it does not refuse
        machine.boot()
        output = machine.console.since(0)
        assert not any(re.search(refusal.encode(), output) for refusal in REFUSALS)


def _model_below(machine: Guest) -> str:
    floor = machine.profile.hardware.cpu_floor
    if floor not in BELOW:
        raise NotApplicable(f"below {floor} the kernel stops before it can print anything")
    return BELOW[floor]


def _least_model(machine: Guest) -> str:
    floor = machine.profile.hardware.cpu_floor
    if floor not in BASELINE:
        raise NotApplicable(f"no model exists for the floor {floor}")
    return BASELINE[floor]
