"""Every profile beside osinfo-db: what differs is named in the profile, with its source."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import pytest

from harness.profiles.loader import load_profiles
from harness.profiles.model import Profile
from harness.profiles.osinfo import Database, OsEntry
from tests.osinfo import devices, minimum


@functools.cache
def database() -> Database:
    return Database()


def entry_of(profile: Profile) -> OsEntry | None:
    return database().find(profile.osinfo.id)


def differences(profile: Profile, entry: OsEntry) -> Iterator[tuple[str, str]]:
    """Each field that the database contradicts, and how."""
    lifecycle = profile.lifecycle
    released, ended = entry.day("release-date"), entry.day("eol-date")
    if released and lifecycle.released and released != lifecycle.released:
        yield "lifecycle.released", f"{lifecycle.released}, there {released}"
    ends = {lifecycle.end_of_life, lifecycle.end_of_support} - {None}
    if ended and ends and ended not in ends:
        yield "lifecycle.end_of_life", f"{sorted(map(str, ends))}, there {ended}"
    least = minimum(entry, profile.architecture)
    hardware = profile.hardware
    if least.memory_mib and hardware.memory_mib.minimum < least.memory_mib:
        difference = f"{hardware.memory_mib.minimum}, there {least.memory_mib}"
        yield "hardware.memory_mib.minimum", difference
    if least.disk_gib and hardware.disk_gib.minimum < least.disk_gib:
        yield "hardware.disk_gib.minimum", f"{hardware.disk_gib.minimum}, there {least.disk_gib}"
    yield from _device_differences(profile, devices(entry))


def _device_differences(profile: Profile, known: set[str]) -> Iterator[tuple[str, str]]:
    """A preferred device missing from the database, where it has any of its kind."""
    bus = f"{profile.hardware.disk_bus} disk"
    if bus in ("virtio disk", "scsi disk") and known and bus not in known:
        yield "hardware.disk_buses", f"{bus}, there {sorted(known)}"
    nic = f"{profile.hardware.nic_model} NIC"
    if any(device.endswith("NIC") for device in known) and nic not in known:
        yield "hardware.nic_models", f"{nic}, there {sorted(known)}"


@pytest.mark.parametrize("profile", load_profiles(), ids=lambda profile: profile.id)
def test_a_profile_agrees_with_the_database_or_says_why_not(profile: Profile) -> None:
    entry = entry_of(profile)
    if entry is None:
        assert profile.osinfo.absent, (
            f"osinfo-db {database().version} has no {profile.osinfo.id}: "
            "correct the id, or give the reason in osinfo.absent"
        )
        return
    explained = {difference.field for difference in profile.differences}
    found = {field: how for field, how in differences(profile, entry) if field not in explained}
    assert not found, f"{profile.id} differs from osinfo-db {database().version}"


def test_a_difference_is_found() -> None:
    """The control: a fact that is not the database's does not go unseen."""
    profile = next(p for p in load_profiles() if p.id == "debian-12")
    eleven = database().find("http://debian.org/debian/11")
    assert eleven is not None
    reported = dict(differences(profile, eleven))
    assert "lifecycle.released" in reported
    less = profile.hardware.memory_mib.model_copy(update={"minimum": 1})
    small = profile.model_copy(
        update={"hardware": profile.hardware.model_copy(update={"memory_mib": less})}
    )
    assert "hardware.memory_mib.minimum" in dict(differences(small, eleven))
