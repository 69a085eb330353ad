"""The profiles that a command works with: a broken file does not stop what needs another one."""

from __future__ import annotations

from collections.abc import Sequence

from harness.cli.output import echo
from harness.profiles.loader import usable_profiles
from harness.profiles.model import Profile
from harness.profiles.selection import select


def sound_profiles() -> list[Profile]:
    """Every sound profile; warns of the others on the terminal.

    Raises BadFileError where none is sound.
    """
    usable = usable_profiles()
    _warn(len(usable.problems))
    return usable.profiles


def profiles_for(wanted: Sequence[str]) -> list[Profile]:
    """The profiles that ids, globs or expressions mean; warns of those that are broken.

    Raises UsageError where one means none, and the problem of a broken one that is meant.
    """
    usable = usable_profiles()
    chosen = select(usable.profiles, wanted, broken=usable.broken)
    _warn(len(usable.problems))
    return chosen


def _warn(problems: int) -> None:
    if problems:
        echo(
            f"guestcert: {problems} problems in guest_profiles/, in files that are left out: "
            "`guestcert profiles validate` shows them",
            err=True,
        )
