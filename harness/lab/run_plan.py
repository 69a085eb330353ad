"""The plan of a run: its guests and variants, checked before anything is started."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.errors import UsageError
from harness.image_store.image_choice import recipe_for
from harness.image_store.imported import examine
from harness.image_store.places import store_root
from harness.lab.run_choices import RunChoices
from harness.profiles.claims import HypervisorKind
from harness.profiles.model import Profile
from harness.profiles.variants import SelectedGuests, Variant, unsupported_reason, variants_on


@dataclass(frozen=True)
class RunPlan:
    """A run's choices, checked: its guests with their variants, and the kind of its hypervisor.

    `skipped` holds the guests that are unavailable, with the reason.
    """

    choices: RunChoices
    kind: HypervisorKind
    guests: SelectedGuests
    skipped: Mapping[str, UsageError]


def plan_run(
    choices: RunChoices, profiles: Sequence[Profile], *, skip_unavailable: bool = False
) -> RunPlan:
    """Find the variants of each profile, and check that its image can be had.

    Raises UsageError where an option fits no guest, and where a guest is unavailable: guestcert
    makes no machine for it, it has no image, or none of the variants. `skip_unavailable` skips
    such a guest, unless it is the last one.
    """
    _check_image(choices, profiles)
    kind = HypervisorKind.of(choices.hypervisor or "")
    guests: list[tuple[Profile, tuple[Variant, ...]]] = []
    skipped: dict[str, UsageError] = {}
    for profile in profiles:
        try:
            guests.append((profile, _available_variants(choices, kind, profile)))
        except UsageError as unavailable:
            if not skip_unavailable:
                raise
            skipped[profile.id] = unavailable
    if not guests:
        raise next(iter(skipped.values()))
    return RunPlan(choices, kind, guests, skipped)


def _check_image(choices: RunChoices, profiles: Sequence[Profile]) -> None:
    if choices.image is None:
        return
    if choices.recipe is not None:
        raise UsageError("an image is given, and a recipe too", remedy="leave one of them out")
    if len(profiles) != 1:
        raise UsageError("--image is one build of one OS", remedy="name just one guest with it")
    examine(choices.image)


def _available_variants(
    choices: RunChoices, kind: HypervisorKind, profile: Profile
) -> tuple[Variant, ...]:
    """The profile's variants there, the primary first, less those that --variant leaves out."""
    if refusal := unsupported_reason(profile, kind):
        raise refusal
    known = variants_on(profile, kind)
    chosen = tuple(v for v in known if not choices.variants or v in choices.variants)
    if not chosen:
        raise UsageError(
            f"{profile.id} has no variant {' or '.join(choices.variants)}, only {', '.join(known)}",
            remedy=f"--variant {known[0]}",
        )
    if choices.image is None:
        recipe_for(profile, store_root(), choices.recipe)  # raises where there is none
    return chosen
