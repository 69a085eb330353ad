"""The one module that speaks to qemu-img. Formats are named to it, never guessed."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

from harness.image_store.formats.reader import Disk
from harness.image_store.programs import Confinement, clean_environment, run_program

PROGRAM = "qemu-img"

UNPRIVILEGED = "nobody"
"""Who reads foreign images, where we are root."""

MEMORY = 4 * 2**30
"""Bytes of address space, threads' stacks included, that the largest image was seen to need."""

SHORTEST_SECONDS, BYTES_A_SECOND = 120.0, 4 * 2**20
"""How long a foreign image may take: a slow disk's speed, and more for a small one."""

LEAKED, CANNOT_CHECK = 3, 63
"""Statuses of `qemu-img check` that speak of no damage (its manual): space is wasted, or nothing
in such a format can be checked."""


def version() -> str:
    """What the program says of its version, in a line."""
    return run_program([PROGRAM, "--version"]).splitlines()[0].strip()


def create_disk(disk: Path, size: str) -> None:
    """Make an empty qcow2 disk; `size` as qemu-img writes it, such as 64M."""
    run_program([PROGRAM, "create", "-q", "-f", "qcow2", str(disk), size])


def create_overlay(base: Path, overlay: Path) -> None:
    """Make an empty overlay over `base` (qcow2), replacing what was there.

    The base's format is named, never guessed: a guest that writes a forged header into its disk
    must not make QEMU follow it.
    """
    overlay.unlink(missing_ok=True)
    over = ["-f", "qcow2", "-F", "qcow2", "-b", str(base)]
    run_program([PROGRAM, "create", "-q", *over, str(overlay)])


def convert(
    disk: Path, form: str, target: Path, target_form: str, *options: str, log: Path | None = None
) -> None:
    """Write a disk of ours in another format; `options` are those of the target's format."""
    given = ["-o", ",".join(options)] if options else []
    forms = ["-q", "-f", form, "-O", target_form]
    run_program([PROGRAM, "convert", *forms, *given, str(disk), str(target)], log=log)


def layers(disk: Path, form: str) -> list[Path]:
    """The files that a disk of ours is made of, the one that is written to first."""
    listed = run_program(
        [PROGRAM, "info", "--output=json", "--backing-chain", "-f", form, str(disk)]
    )
    return [Path(layer["filename"]) for layer in json.loads(listed)]


def holds_data(layer: Path) -> bool:
    """Whether a qcow2 file of ours holds anything by itself."""
    listed = run_program([PROGRAM, "map", "--output=json", "-f", "qcow2", str(layer)])
    return any(extent["depth"] == 0 and extent["present"] for extent in json.loads(listed))


def check_foreign(image: Path, disk: Disk) -> None:
    """Check a copy of a foreign image, whose headers were read; raises ProgramFailed.

    The program sees a folder with the copy in it, and is a user who may read little else.
    """
    command = [PROGRAM, "check", "-q", _source(image, disk)]
    _run_confined(command, image, 0, accepted=(0, LEAKED, CANNOT_CHECK))


def convert_foreign(image: Path, disk: Disk, target: Path, most_bytes: int, log: Path) -> None:
    """Write a checked copy of a foreign image as the qcow2 file `target`, which is there, empty.

    Both are in one folder. Raises ProgramFailed, also where `target` grows beyond `most_bytes`.
    """
    command = [PROGRAM, "convert", "-q", _source(image, disk)]
    _run_confined([*command, "-O", "qcow2", target.name], image, most_bytes, log=log)


def _source(image: Path, disk: Disk) -> str:
    """The copy with its driver, and with no backing file, as QEMU's options in JSON."""
    file = {"driver": "file", "filename": image.name}
    options = {"driver": disk.driver, "backing": None, "file": file, **disk.options}
    return f"json:{json.dumps(options)}"


def _run_confined(
    command: Sequence[str],
    image: Path,
    most_bytes: int,
    *,
    accepted: Sequence[int] = (0,),
    log: Path | None = None,
) -> None:
    user = UNPRIVILEGED if os.geteuid() == 0 else None
    run_program(
        command,
        log=log,
        environment=clean_environment(LC_ALL="C.UTF-8", MALLOC_ARENA_MAX="1"),
        folder=image.parent,
        seconds=SHORTEST_SECONDS + image.stat().st_size / BYTES_A_SECOND,
        confinement=Confinement(MEMORY, most_bytes, user),
        accepted=accepted,
    )
