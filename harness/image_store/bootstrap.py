"""Builds a base image from a distribution's packages with mmdebstrap."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from harness.image_store import disk, qemu_img
from harness.image_store.builder import IMAGE, LOG, Material, StepReporter, version_of
from harness.image_store.disk import assemble_disk, root_mib
from harness.image_store.programs import clean_environment, run_program
from harness.image_store.recipe import BootstrapRecipe, Recipe

INITRD_HOOK = Path(__file__).with_name("bootstrap_initrd.sh")
HOOK = Path(__file__).with_name("bootstrap_hook.sh")

LEFT_OUT = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*")
"""Paths that no case needs; leaving them out makes the image smaller."""

PROXIES = {"Acquire::http::Proxy": "http_proxy", "Acquire::https::Proxy": "https_proxy"}
"""APT's proxy options, which may hold a password, and the equivalent variables."""

PASSED_ON = (*PROXIES, "Acquire::Check-Valid-Until", "Acquire::Check-Date")
"""The host's APT options for reaching the archive, which apply to the image's build too."""


class Bootstrap:
    """See Builder. Takes a minute or two."""

    def inputs(self, recipe: Recipe, step: StepReporter) -> Mapping[str, str]:
        """See Builder: guestcert's code, and the versions of the programs."""
        code = [Path(disk.__file__), Path(__file__), INITRD_HOOK, HOOK]
        return {file.name: file.read_text(encoding="utf-8") for file in code} | {
            "mmdebstrap": version_of("mmdebstrap"),
            "mke2fs": version_of("mke2fs", "-V"),
            "qemu-img": qemu_img.version(),
        }

    def build(self, recipe: Recipe, folder: Path, step: StepReporter) -> tuple[Material, ...]:
        """See Builder."""
        assert isinstance(recipe, BootstrapRecipe)
        log = folder / LOG
        parts, work = folder / "parts", folder / "tmp"
        folder.chmod(0o711)  # APT downloads as its own user
        for place in (parts, work):
            place.mkdir()
            place.chmod(0o777)  # without root, mmdebstrap's hook runs as a subordinate user
        options = _host_options()
        command = _mmdebstrap(recipe, parts, options)
        step("bootstrapping from packages")
        run_program(command, log=log, line=step, environment=_environment(work, options))
        step("assembling the disk")
        raw = folder / "disk.raw"
        assemble_disk(parts, recipe.architecture, recipe.disk_gib, raw, log)
        step("converting the disk")
        qemu_img.convert(raw, "raw", folder / IMAGE, "qcow2", log=log)
        raw.unlink()
        packages = (parts / "packages.txt").read_text(encoding="utf-8").splitlines()
        shutil.rmtree(parts)
        work.rmdir()
        return tuple(_material(line, recipe) for line in packages)


def _material(line: str, recipe: BootstrapRecipe) -> Material:
    """A line of dpkg-query's list as a package URL (https://github.com/package-url/purl-spec)."""
    name, _, version = line.partition("\t")
    name = name.partition(":")[0]
    return Material(f"pkg:deb/{recipe.distribution}/{name}@{version}?distro={recipe.suite}")


def _mmdebstrap(recipe: BootstrapRecipe, parts: Path, options: Mapping[str, str]) -> list[str]:
    size = root_mib(recipe.disk_gib)
    return [
        "mmdebstrap",
        "--mode=root" if os.geteuid() == 0 else "--mode=unshare",
        "--variant=minbase",
        "--format=null",
        f"--architectures={recipe.architecture}",
        f"--include={','.join(recipe.packages)}",
        '--aptopt=Acquire::Languages "none"',
        *(f'--aptopt={name} "{value}"' for name, value in options.items() if name not in PROXIES),
        *(f"--dpkgopt=path-exclude={path}" for path in LEFT_OUT),
        f'--essential-hook=sh "{INITRD_HOOK}" "$1"',
        f'--customize-hook=sh "{HOOK}" "$1" "{parts}" {size}',
        recipe.suite,
        "/dev/null",
    ]


def _host_options() -> dict[str, str]:
    """The options of PASSED_ON that the host's APT sets; none on a host without APT."""
    if shutil.which("apt-config") is None:
        return {}
    output = run_program(["apt-config", "dump", "--no-empty", *PASSED_ON])
    pairs = re.findall(r'^(\S+) "([^"\n]*)";$', output, re.MULTILINE)
    return {option: value for option, value in pairs if option in PASSED_ON}


def _environment(work: Path, options: Mapping[str, str]) -> dict[str, str]:
    """The variables for package scripts, and the proxies: every user can read a command line.

    mmdebstrap mounts within `work`, which is removed with the build.
    """
    proxies = {PROXIES[name]: value for name, value in options.items() if name in PROXIES}
    scripts = {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
    return clean_environment(TMPDIR=str(work), **scripts, **proxies)
