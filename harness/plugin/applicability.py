"""Whether a case applies to the guest that its profile describes."""

from __future__ import annotations

from collections.abc import Collection

from harness.errors import NotApplicable
from harness.profiles.hardware import Tpm
from harness.profiles.model import Profile, System


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
