"""Guest facts that a run's workers agree on, so that all machines use the same image."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness.errors import BadFileError, UsageError
from harness.image_store.store import BaseImage, ImageStore

DIGEST = "^[0-9a-f]{64}$"


class GuestFacts(BaseModel):
    """The base image of a run's guest, by its name in the store, and the digest of its profile."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    image: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=120)
    digest: str = Field(pattern=DIGEST)  # of the image
    profile: str = Field(pattern=DIGEST)


def agreed_image(
    folder: Path, guest: str, mine: BaseImage, profile: str, store: ImageStore
) -> BaseImage:
    """The image that the first worker found for a guest; vendors may publish during a run.

    It is in the store, and verified. Raises UsageError if the store no longer has it.
    """
    facts = GuestFacts(image=mine.name, digest=mine.digest, profile=profile)
    folder.mkdir(parents=True, exist_ok=True)
    fresh = folder / f".{guest}-{os.getpid()}"
    fresh.write_text(facts.model_dump_json(), encoding="utf-8")
    with suppress(FileExistsError):
        os.link(fresh, _file(folder, guest))
    fresh.unlink()
    facts = known(folder, guest) or facts
    if (facts.image, facts.digest) == (mine.name, mine.digest):
        return mine
    return stored_image(facts, store)


def stored_image(facts: GuestFacts, store: ImageStore) -> BaseImage:
    """The stored image that the facts name, verified.

    Raises UsageError if the store lacks it or its digest differs.
    """
    image = store.image(facts.image)
    if image.digest != facts.digest:
        raise UsageError(f"the image {facts.image} is not the one that the run was started with")
    return image


def known(folder: Path, guest: str) -> GuestFacts | None:
    """The facts that the workers agreed on; None before any worker recorded them.

    Raises BadFileError if the file does not hold guest facts.
    """
    file = _file(folder, guest)
    try:
        return GuestFacts.model_validate_json(file.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "document"
        raise BadFileError(file, None, field, str(first["msg"])) from error


def _file(folder: Path, guest: str) -> Path:
    return folder / f"{guest}.json"
