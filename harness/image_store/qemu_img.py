"""The only module that runs qemu-img. Formats are always stated, never probed."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

from harness.image_store.formats.reader import Disk
from harness.image_store.programs import Confinement, clean_environment, run_program

PROGRAM = "qemu-img"

UNPRIVILEGED = "nobody"
"""The user that reads foreign images if this process is root's."""

MEMORY = 4 * 2**30
"""Limit of address space in bytes, including stacks; measured with the largest image."""

SHORTEST_SECONDS, BYTES_A_SECOND = 120.0, 4 * 2**20
"""Time limit of a foreign image: the speed of a slow disk, and a minimum."""

LEAKED, CANNOT_CHECK = 3, 63
"""Statuses of `qemu-img check` without damage (see its manual): leaked clusters, or a format
without checks."""


def version() -> str:
    """The version line of the program."""
    return run_program([PROGRAM, "--version"]).splitlines()[0].strip()


def create_disk(disk: Path, size: str) -> None:
    """Create an empty qcow2 disk; `size` in qemu-img's notation, such as 64M."""
    run_program([PROGRAM, "create", "-q", "-f", "qcow2", str(disk), size])


def create_overlay(base: Path, overlay: Path) -> None:
    """Create an empty overlay over `base` (qcow2), replacing an existing one.

    The base's format is stated, never probed: QEMU must not follow a forged header that a guest
    writes into its disk.
    """
    overlay.unlink(missing_ok=True)
    over = ["-f", "qcow2", "-F", "qcow2", "-b", str(base)]
    run_program([PROGRAM, "create", "-q", *over, str(overlay)])


def convert(
    disk: Path, form: str, target: Path, target_form: str, *options: str, log: Path | None = None
) -> None:
    """Convert a trusted disk to another format; `options` are those of the target's format."""
    given = ["-o", ",".join(options)] if options else []
    forms = ["-q", "-f", form, "-O", target_form]
    run_program([PROGRAM, "convert", *forms, *given, str(disk), str(target)], log=log)


def layers(disk: Path, form: str) -> list[Path]:
    """The files of a trusted disk, the top overlay first."""
    listed = run_program(
        [PROGRAM, "info", "--output=json", "--backing-chain", "-f", form, str(disk)]
    )
    return [Path(layer["filename"]) for layer in json.loads(listed)]


def holds_data(layer: Path) -> bool:
    """Whether a trusted qcow2 file has data beside its backing file."""
    listed = run_program([PROGRAM, "map", "--output=json", "-f", "qcow2", str(layer)])
    return any(extent["depth"] == 0 and extent["present"] for extent in json.loads(listed))


def check_foreign(image: Path, disk: Disk) -> None:
    """Check a copy of a foreign image with examined headers. Raises ProgramFailed.

    The program runs in the copy's folder, as a user that can read little else.
    """
    command = [PROGRAM, "check", "-q", _source(image, disk)]
    _run_confined(command, image, 0, accepted=(0, LEAKED, CANNOT_CHECK))


def convert_foreign(image: Path, disk: Disk, target: Path, most_bytes: int, log: Path) -> None:
    """Convert a checked copy of a foreign image to the existing, empty qcow2 file `target`.

    Both are in one folder. Raises ProgramFailed, also if `target` grows beyond `most_bytes`.
    """
    command = [PROGRAM, "convert", "-q", _source(image, disk)]
    _run_confined([*command, "-O", "qcow2", target.name], image, most_bytes, log=log)


def _source(image: Path, disk: Disk) -> str:
    """QEMU's options for the copy, in JSON, with its driver and without a backing file."""
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
