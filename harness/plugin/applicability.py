"""Whether a case applies to the guest that its profile describes, on this hypervisor."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from harness.errors import HarnessError, NotApplicable
from harness.hypervisors.capabilities import RUN, SECURE_BOOT, UEFI, Capability
from harness.hypervisors.facets.console import CONSOLE
from harness.hypervisors.facets.snapshots import SAVED_STATES
from harness.lab.bench import Bench
from harness.plugin.collection import Target
from harness.profiles.hardware import Tpm
from harness.profiles.model import Profile, System
from harness.profiles.variants import firmware_of, variants_on

BOOTED = frozenset({RUN, CONSOLE})
"""Capabilities for a started guest, whose console is read from the first instruction on."""

RESTORED = BOOTED | {SAVED_STATES}
"""Capabilities for a guest in its golden state."""


def require_listed(profile: Profile, what: str, names: Collection[str], wanted: str) -> None:
    """Raise NotApplicable where `wanted` is not among the profile's `names`."""
    if wanted not in names:
        raise NotApplicable(
            f"the profile {profile.id} does not name {wanted} among its {what}: {', '.join(names)}"
        )


def require_system(profile: Profile, systems: Collection[System], because: str) -> None:
    """Raise NotApplicable where the guest's system is not one of these `systems`."""
    if profile.system not in systems:
        raise NotApplicable(f"{profile.id} is not {' or '.join(systems)}: {because}")


def require_tpm_use(profile: Profile) -> None:
    """Raise NotApplicable where the profile states that its guest cannot use a TPM 2.0."""
    if profile.hardware.tpm is Tpm.UNSUPPORTED:
        raise NotApplicable(
            f"the profile {profile.id} states that {profile.name} cannot use a TPM 2.0"
        )


def require_machine(
    bench: Bench, target: Target, node: pytest.Item, needed_here: frozenset[Capability] = BOOTED
) -> None:
    """Raise NotApplicable where the profile or the hypervisor rules the case out.

    A missing firmware is the lab's: HarnessError.
    """
    if target.variant not in variants_on(target.profile, bench.kind):
        raise NotApplicable(f"the profile {target.profile.id} names no variant {target.variant}")
    for marker in node.iter_markers("only_on"):
        require_system(target.profile, marker.args, marker.kwargs["because"])
    capabilities = {"uefi": UEFI, "secure-boot": SECURE_BOOT}
    needed = capabilities.get(firmware_of(target.profile, target.variant))
    wanted = set(needed_here)
    if wanted <= bench.capabilities and needed and needed not in bench.capabilities:
        raise HarnessError(
            f"this host has no firmware for {target.variant}",
            remedy="install OVMF (Debian: ovmf, Fedora: edk2-ovmf)",
        )
    for marker in node.iter_markers("requires"):
        wanted.update(marker.args)
    missing = wanted - bench.capabilities
    if RUN in missing:
        raise NotApplicable("the hypervisor executes no guest code here (it lacks run)")
    if missing:
        raise NotApplicable(f"the hypervisor lacks {', '.join(sorted(map(str, missing)))}")
