"""The environment of a run, as a process that is connected to the hypervisor finds it."""

from __future__ import annotations

import platform

import harness
from harness.hypervisors.base import Hypervisor
from harness.lab.context import RunContext
from harness.results.model import Environment, GuestBuild, HostFacts


def environment_of(
    context: RunContext, hypervisor: Hypervisor | None, guests: dict[str, GuestBuild]
) -> Environment:
    """The environment of a run, with what is known of each guest."""
    facts = hypervisor.facts() if hypervisor else None
    return Environment(
        harness=harness.__version__,
        python=platform.python_version(),
        hypervisor=facts.name if facts else "unreachable",
        hypervisor_version=facts.version if facts else "",
        hypervisor_uri=hypervisor.uri if hypervisor else context.hypervisor or "",
        accelerator=str(context.accelerator),
        accelerator_reason=context.accelerator_reason,
        host=HostFacts(**facts.extra) if facts else HostFacts(),
        guests=guests,
    )
