"""Makes images as other makers do: out of the base image, on the host's loop devices, as root."""

from __future__ import annotations

from pathlib import Path

from harness.image_store import disk, qemu_img
from harness.image_store.programs import run_program
from tests.foreign.makers import Maker, Root

SCRIPT = Path(__file__).with_name("workshop.sh")

LABEL = "foreign-root"
"""Of a new root file system; XFS has room for twelve characters."""


def make_image(maker: Maker, base: Path, folder: Path) -> Path:
    """The maker's image in `folder` (raw), from the project's own base image of the same guest.

    Raises HarnessError where a program fails; its output is in `folder`/log.
    """
    raw, log = folder / "disk.raw", folder / "log"
    qemu_img.convert(base, "qcow2", raw, "raw", log=log)
    for path, text in maker.files.items():
        file = folder / "files" / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    (folder / "files").mkdir(exist_ok=True)
    (folder / "commands").write_text(maker.commands, encoding="utf-8")
    size = raw.stat().st_size - disk.ROOT_START - disk.TAIL
    words = [str(raw), str(disk.ROOT_START), str(size), str(folder), maker.root, LABEL]
    packages = [" ".join(maker.packages), " ".join(maker.without)]
    run_program(["unshare", "--mount", "sh", str(SCRIPT), *words, *packages], log=log)
    if maker.root is not Root.EXT4:
        disk._install_grub(raw, folder)
    return raw
