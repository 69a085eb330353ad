"""A small Linux that looks at a machine from inside: Debian's kernel, busybox, and a script."""

from __future__ import annotations

import gzip
import hashlib
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock

from harness.image_store.programs import run_program
from harness.provisioning.answer_media import archive_of

SUITE = "bookworm"
PACKAGES = "busybox-static,linux-image-amd64"
WANTED = (
    *("ata_piix", "ahci", "virtio_pci", "virtio_blk", "virtio_scsi", "sd_mod", "sr_mod"),
    *("floppy", "isofs", "vfat", "nls_cp437", "nls_ascii", "nls_iso8859-1", "nls_utf8"),
    *("tpm_crb", "tpm_tis"),
)
INIT = Path(__file__).with_name("init")


def make_inspector(cache: Path) -> tuple[Path, Path]:
    """Its kernel and initrd, made in `cache` at the first call; takes half a minute."""
    digest = hashlib.sha256(INIT.read_bytes() + Path(__file__).read_bytes()).hexdigest()[:16]
    folder = cache / f"inspector-{digest}"
    kernel, initrd = folder / "kernel", folder / "initrd"
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    with FileLock(folder / "lock"):  # every worker of the tests comes here
        if not initrd.exists():
            _make(folder / "tree", kernel, initrd)
    return kernel, initrd


def _make(tree: Path, kernel: Path, initrd: Path) -> None:
    shutil.rmtree(tree, ignore_errors=True)
    command = ["mmdebstrap", "--variant=extract", f"--include={PACKAGES}"]
    # As the project's own builds do it, whatever this host's APT thinks of dates.
    command += ['--aptopt=Acquire::Check-Valid-Until "false"', SUITE, str(tree)]
    run_program(command)
    shutil.copy(next((tree / "boot").glob("vmlinuz-*")), kernel)
    made = gzip.compress(archive_of(_members(tree)), compresslevel=6, mtime=0)
    shutil.rmtree(tree)
    initrd.write_bytes(made)


def _members(tree: Path) -> Iterator[tuple[str, bytes, int]]:
    """Names, contents and modes of the initrd's files; folders have no content."""
    for folder in ("bin", "modules"):
        yield folder, b"", 0o040755
    yield "bin/busybox", next(tree.rglob("bin/busybox")).read_bytes(), 0o100755
    yield "bin/sh", b"busybox", 0o120777  # a symbolic link
    yield "init", INIT.read_bytes(), 0o100755
    files = list(_in_order(tree))
    for file in files:
        yield f"modules/{file.name}", file.read_bytes(), 0o100644
    yield "modules/order", "\n".join(file.name for file in files).encode(), 0o100644


def _in_order(tree: Path) -> Iterator[Path]:
    """The wanted modules, each after those that it needs."""
    base = next(path.parent for path in tree.rglob("modules.builtin"))
    everything = {file.stem.replace("-", "_"): file for file in base.rglob("*.ko")}
    given: set[str] = set()

    def give(name: str) -> Iterator[Path]:
        if name in given or name not in everything:
            return
        given.add(name)
        file = everything[name]
        found = re.search(rb"\0depends=([^\0]*)\0", b"\0" + file.read_bytes())
        needs = found.group(1).decode().split(",") if found else []
        for need in needs:
            yield from give(need.replace("-", "_"))
        yield file

    for name in WANTED:
        yield from give(name.replace("-", "_"))
