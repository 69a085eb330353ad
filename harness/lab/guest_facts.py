"""What a run's workers learn of its guests and agree on: all machines are of one image."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from harness.image_store.store import BaseImage


@dataclass(frozen=True)
class GuestFacts:
    """The base image of a run's guest, and the digest of its profile."""

    image: BaseImage
    profile: str


def agreed(folder: Path, guest: str, mine: GuestFacts) -> GuestFacts:
    """What the first worker that came here says of a guest: a vendor may publish meanwhile."""
    folder.mkdir(parents=True, exist_ok=True)
    fresh = folder / f".{guest}-{os.getpid()}"
    fresh.write_text(json.dumps(asdict(mine), default=str), encoding="utf-8")
    with suppress(FileExistsError):
        os.link(fresh, _file(folder, guest))
    fresh.unlink()
    return known(folder, guest) or mine


def known(folder: Path, guest: str) -> GuestFacts | None:
    """What the workers agreed on; None where none of them came so far."""
    try:
        document = json.loads(_file(folder, guest).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    image = document["image"]
    return GuestFacts(
        BaseImage(Path(image["path"]), image["digest"], image["name"]), document["profile"]
    )


def _file(folder: Path, guest: str) -> Path:
    return folder / f"{guest}.json"
