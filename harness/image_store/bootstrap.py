"""Builds a base image from a distribution's packages with mmdebstrap."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

from harness.image_store.disk import assemble_disk, root_mib
from harness.image_store.programs import run_program
from harness.image_store.recipe import Recipe

HOOK = Path(__file__).with_name("bootstrap_hook.sh")

LEFT_OUT = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*")
"""Paths that no case looks at: they would only make the image larger."""

PASSED_ON = (
    "Acquire::http::Proxy",
    "Acquire::https::Proxy",
    "Acquire::Check-Valid-Until",
    "Acquire::Check-Date",
)
"""What the host's administrator told APT about reaching the archive holds for an image too."""

Step = Callable[[str], None]


def build(recipe: Recipe, folder: Path, step: Step) -> Path:
    """Build the recipe's disk in `folder`; returns the qcow2 file. Takes a minute or two.

    Raises HarnessError where packages can't be had, a tool is missing or the disk is full; the
    log of all programs is `build.log` in the folder.
    """
    log = folder / "build.log"
    parts = folder / "parts"
    parts.mkdir()
    parts.chmod(0o777)  # without root, mmdebstrap's hook runs as another user of ours
    step("bootstrapping from packages")
    run_program(_mmdebstrap(recipe, parts), log=log, line=step, environment=_environment())
    step("assembling the disk")
    raw = folder / "disk.raw"
    assemble_disk(parts, recipe.disk_gib, raw, log)
    step("converting the disk")
    image = folder / "image.qcow2"
    run_program(["qemu-img", "convert", "-O", "qcow2", str(raw), str(image)], log=log)
    raw.unlink()
    return image


def tool_versions() -> dict[str, str]:
    """The versions of the programs that shape an image."""
    return {
        name: run_program([name, flag]).splitlines()[0].strip()
        for name, flag in (("mmdebstrap", "--version"), ("mke2fs", "-V"), ("qemu-img", "--version"))
    }


def _mmdebstrap(recipe: Recipe, parts: Path) -> list[str]:
    size = root_mib(recipe.disk_gib)
    return [
        "mmdebstrap",
        "--mode=root" if os.geteuid() == 0 else "--mode=unshare",
        "--variant=minbase",
        "--format=null",
        f"--architectures={recipe.architecture}",
        f"--include={','.join(recipe.packages)}",
        '--aptopt=Acquire::Languages "none"',
        *(f'--aptopt={option} "{value}"' for option, value in _host_options().items()),
        *(f"--dpkgopt=path-exclude={path}" for path in LEFT_OUT),
        f'--customize-hook=sh "{HOOK}" "$1" "{parts}" {size}',
        recipe.suite,
        "/dev/null",
    ]


def _host_options() -> dict[str, str]:
    """The options of PASSED_ON that the host's APT has; none where the host has no APT."""
    if shutil.which("apt-config") is None:
        return {}
    said = run_program(["apt-config", "dump", "--no-empty", *PASSED_ON])
    pairs = re.findall(r'^(\S+) "([^"\n]*)";$', said, re.MULTILINE)
    return {option: value for option, value in pairs if option in PASSED_ON}


def _environment() -> dict[str, str]:
    """The caller's environment, with what package scripts expect."""
    return os.environ | {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
