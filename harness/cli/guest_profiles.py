"""The profiles of a command: a broken file stops only the commands that need it."""

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
    """The profiles that ids, globs or expressions select; warns of broken files.

    Raises UsageError where one selects none, and the problem of a broken one that is selected.
    """
    usable = usable_profiles()
    chosen = select(usable.profiles, wanted, broken=usable.broken)
    _warn(len(usable.problems))
    return chosen


def _warn(problems: int) -> None:
    if problems:
        echo(
            f"guestcert: {problems} problems in guest_profiles/, whose files are ignored: "
            "`guestcert profiles validate` shows them",
            err=True,
        )
