"""A guest's software: recorded once, during its first boot, for the run's record."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

from harness.errors import ChannelError, HarnessError, NotApplicable
from harness.guests.guest import Guest

Fact = TypeVar("Fact")

PACKAGES_LIMIT = 1024 * 1024
"""Limit of the package list in bytes; 5000 packages of a desktop take about 300 kB."""

SOFTWARE = "software.json"

NAME_LIMIT = 200
"""Limit of a name or a version, in characters."""


@dataclass(frozen=True)
class GuestSoftware:
    """The software that a guest reports; a field that it does not report is empty."""

    os: str = ""
    kernel: str = ""
    agent: str = ""
    agent_policy: str = ""  # the commands that the agent blocks
    packages: str = ""  # the file of the package list, relative to the run directory
    packages_digest: str = ""


def take_software(guest: Guest, folder: Path) -> None:
    """Query a ready guest, and write its answers below `folder`, in the run directory.

    A fact that it does not report is left out: no case needs it.
    """
    release = _optional(guest.os.product.release)
    packages = _optional(lambda: guest.os.product.packages(limit=PACKAGES_LIMIT)) or []
    listed = "".join(f"{_plain(line)}\n" for line in packages).encode()[:PACKAGES_LIMIT]
    file = folder / guest.profile.id / "packages.txt"
    file.parent.mkdir(parents=True, exist_ok=True)
    if listed:
        file.write_bytes(listed)
    software = GuestSoftware(
        os=_plain(release.title) if release else "",
        kernel=_plain(release.kernel) if release else "",
        agent=_plain(_agent_version(guest)),
        agent_policy=_plain(_agent_policy(guest)),
        packages=str(file.relative_to(folder.parent)) if listed else "",
        packages_digest=f"sha256:{hashlib.sha256(listed).hexdigest()}" if listed else "",
    )
    file.with_name(SOFTWARE).write_text(json.dumps(asdict(software)), encoding="utf-8")


def known_software(guest: str, folder: Path) -> GuestSoftware:
    """The recorded software of a guest; all fields are empty if it never came up."""
    try:
        document = json.loads((folder / guest / SOFTWARE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return GuestSoftware()
    return GuestSoftware(**document)


def _optional(ask: Callable[[], Fact]) -> Fact | None:
    try:
        return ask()
    except (HarnessError, NotApplicable):
        return None


def _agent_version(guest: Guest) -> str:
    try:
        known = guest.agent.call("guest-info", timeout=guest.budget(5).seconds)
    except ChannelError:
        return ""
    version = known.get("version") if isinstance(known, dict) else None
    return version if isinstance(version, str) else ""


def _agent_policy(guest: Guest) -> str:
    try:
        blocked = guest.agent.commands(timeout=guest.budget(5).seconds).blocked
    except ChannelError:
        return ""
    return f"blocks {', '.join(sorted(blocked))}" if blocked else "blocks nothing"


def _plain(text: str) -> str:
    """Text without control characters, for terminals and files."""
    return "".join(c if c.isprintable() else " " for c in text)[:NAME_LIMIT].strip()
