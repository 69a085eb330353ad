"""Rules a case out that is about something which the guest's profile does not name."""

from __future__ import annotations

from collections.abc import Collection

from harness.errors import NotApplicable
from harness.profiles.model import Profile


def demand_named(profile: Profile, what: str, names: Collection[str], wanted: str) -> None:
    """Raise NotApplicable where `wanted` is none of the profile's `names`."""
    if wanted not in names:
        raise NotApplicable(
            f"the profile {profile.id} does not name {wanted} among its {what}: {', '.join(names)}"
        )
