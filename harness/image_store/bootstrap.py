"""Builds a base image from a distribution's packages with mmdebstrap."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from harness.image_store import disk, qemu_img
from harness.image_store.building import IMAGE, LOG, Material, Step, version_of
from harness.image_store.disk import assemble_disk, root_mib
from harness.image_store.programs import run_program
from harness.image_store.recipe import BootstrapRecipe, Recipe

INITRD_HOOK = Path(__file__).with_name("bootstrap_initrd.sh")
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


class Bootstrap:
    """See Builder. Takes a minute or two."""

    def inputs(self, recipe: Recipe, step: Step) -> Mapping[str, str]:
        """See Builder: our own code, and the programs that shape an image."""
        code = [Path(disk.__file__), Path(__file__), INITRD_HOOK, HOOK]
        return {file.name: file.read_text(encoding="utf-8") for file in code} | {
            "mmdebstrap": version_of("mmdebstrap"),
            "mke2fs": version_of("mke2fs", "-V"),
            "qemu-img": qemu_img.version(),
        }

    def build(self, recipe: Recipe, folder: Path, step: Step) -> tuple[Material, ...]:
        """See Builder."""
        assert isinstance(recipe, BootstrapRecipe)
        log = folder / LOG
        parts = folder / "parts"
        parts.mkdir()
        parts.chmod(0o777)  # without root, mmdebstrap's hook runs as another user of ours
        step("bootstrapping from packages")
        run_program(_mmdebstrap(recipe, parts), log=log, line=step, environment=_environment())
        step("assembling the disk")
        raw = folder / "disk.raw"
        assemble_disk(parts, recipe.architecture, recipe.disk_gib, raw, log)
        step("converting the disk")
        qemu_img.convert(raw, "raw", folder / IMAGE, "qcow2", log=log)
        raw.unlink()
        packages = (parts / "packages.txt").read_text(encoding="utf-8").splitlines()
        shutil.rmtree(parts)
        return tuple(_material(line, recipe) for line in packages)


def _material(line: str, recipe: BootstrapRecipe) -> Material:
    """A line of dpkg-query's list as a package URL (https://github.com/package-url/purl-spec)."""
    name, _, version = line.partition("\t")
    name = name.partition(":")[0]
    return Material(f"pkg:deb/{recipe.distribution}/{name}@{version}?distro={recipe.suite}")


def _mmdebstrap(recipe: BootstrapRecipe, parts: Path) -> list[str]:
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
        f'--essential-hook=sh "{INITRD_HOOK}" "$1"',
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
