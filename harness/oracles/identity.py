"""Whether a guest is the operating system that its profile describes."""

from __future__ import annotations

from collections.abc import Iterator

from harness.guests.os.product import OsRelease
from harness.profiles.model import Profile, System
from harness.profiles.windows import WindowsSetup

EDITIONS = {"Pro": "Professional"}
"""Editions whose name in Microsoft's tables differs from their EditionID."""


def mismatches(profile: Profile, reported: OsRelease) -> list[str]:
    """A sentence for each part of the guest's record that differs from the profile."""
    if reported.system != profile.system:
        return [f"its kernel is {reported.system}, the profile's is {profile.system}"]
    found = [*_architecture(profile, reported)]
    if profile.windows is not None:
        found += _windows(profile, profile.windows, reported)
    elif not profile.identity.any_distribution:
        found += _distribution(profile, reported)
    return found


def _architecture(profile: Profile, reported: OsRelease) -> Iterator[str]:
    for what, value in (
        ("its kernel", reported.kernel_architecture),
        ("its system", reported.architecture),
    ):
        if value != profile.architecture:
            yield f"{what} is built for {value}, the profile is for {profile.architecture}"


def _distribution(profile: Profile, reported: OsRelease) -> Iterator[str]:
    identity = profile.identity
    distribution = identity.distribution or profile.family
    if reported.distribution != distribution:
        yield f"its distribution is {reported.distribution!r}, the profile's is {distribution!r}"
    if identity.name is not None and reported.name != identity.name:
        yield f"its name is {reported.name!r}, the profile's is {identity.name!r}"
    release = identity.release or profile.release
    minors = identity.minor_releases
    if not identity.rolling and not _is_release(reported.release, release, minors=minors):
        yield f"its release is {reported.release!r}, the profile's is {release!r}"


def _is_release(reported: str, release: str, *, minors: bool) -> bool:
    """Whether it is this release or one of its minor releases; `3.19_alpha20230901` is neither."""
    below = reported.removeprefix(f"{release}.")
    is_minor = below != reported and all(part.isdecimal() for part in below.split("."))
    return reported == release or (minors and is_minor)


def _windows(profile: Profile, setup: WindowsSetup, reported: OsRelease) -> Iterator[str]:
    if not setup.builds.holds(int(reported.release)):
        yield f"its build is {reported.release}, the profile's is {setup.builds}"
    product = "windows-server" if setup.server else System.WINDOWS.lower()
    if reported.distribution != product:
        yield f"its product is {reported.distribution}, the profile's is {product}"
    editions = profile.editions.supported if profile.editions else ()
    # `ProfessionalN` is an edition without a media player, `EnterpriseEval` one for a trial.
    known = tuple(EDITIONS.get(name, name) for name in editions)
    if known and not reported.edition.startswith(known):
        yield f"its edition is {reported.edition!r}, the profile is for {', '.join(editions)}"
