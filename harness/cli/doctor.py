"""`guestcert doctor`: checks this host, each finding with its remedy."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping

from harness.cli.clean import HypervisorOption
from harness.cli.doctor_checks import NEEDED_GIB, Finding
from harness.cli.doctor_hyperv import examine_host
from harness.cli.output import echo
from harness.errors import GuestcertError, HarnessError
from harness.host.kvm import DEVICE
from harness.hypervisors.accelerator import choose_accelerator
from harness.hypervisors.boot_proof import EMULATOR
from harness.hypervisors.capabilities import NETWORK, RUN, SECURE_BOOT, UEFI, Capability
from harness.hypervisors.connection import open_hypervisor
from harness.image_store.places import store_root
from harness.image_store.programs import PACKAGES
from harness.profiles.claims import HypervisorKind


def doctor(hypervisor: HypervisorOption = None) -> None:
    """Check what this host can run, with a remedy for each problem."""
    essential_missing = 0
    for finding in examine(hypervisor):
        mark = "ok   " if finding.good else "WRONG" if finding.essential else "less "
        echo(f"{mark} {finding.what}")
        if not finding.good:
            echo(f"      try: {finding.remedy}")
            essential_missing += finding.essential
    if essential_missing:
        raise HarnessError(f"this host cannot certify guests yet: {essential_missing} problems")


def examine(uri: str | None) -> Iterator[Finding]:
    """Check everything that a run needs."""
    if uri is not None and HypervisorKind.of(uri) is HypervisorKind.HYPERV:
        # Images are built on this host and run on that one, so this host need not execute guests.
        yield from _programs(PACKAGES)
        yield _store()
        yield from examine_host(uri)
        return
    yield from _programs({EMULATOR: "qemu-system-x86", **PACKAGES})
    yield _store()
    yield _kvm_permissions()
    try:
        choice = choose_accelerator(None, store_root())
        yield Finding(True, f"accelerator {choice.accelerator}: {choice.reason}")
    except (GuestcertError, OSError) as error:
        yield Finding(False, f"no accelerator: {error}", f"install {EMULATOR}")
    yield from _hypervisor(uri)


def _programs(packages: Mapping[str, str]) -> Iterator[Finding]:
    for program, package in packages.items():
        path = shutil.which(program)
        yield Finding(bool(path), f"program {program}: {path or 'missing'}", f"install {package}")


def _store() -> Finding:
    root = store_root()
    free = shutil.disk_usage(root).free / 1024**3
    what = f"image store {root}: {free:.0f} GiB free"
    return Finding(free >= NEEDED_GIB, what, f"free up to {NEEDED_GIB} GiB, or set GUESTCERT_HOME")


def _kvm_permissions() -> Finding:
    """Where its user cannot use KVM, libvirt probes QEMU again for each request, for seconds."""
    if not DEVICE.exists() or os.geteuid() != 0:
        return Finding(True, f"{DEVICE}: {'unchanged' if DEVICE.exists() else 'missing'}")
    group_may = DEVICE.stat().st_mode & 0o060 == 0o060
    return Finding(
        group_may,
        f"{DEVICE} {'can' if group_may else 'cannot'} be opened by its group",
        f"chgrp kvm {DEVICE} && chmod 0660 {DEVICE}; without it libvirt is slow",
        essential=False,
    )


def _hypervisor(uri: str | None) -> Iterator[Finding]:
    try:
        connection = open_hypervisor(uri)
    except GuestcertError as error:
        yield Finding(False, error.sentence, error.remedy or "guestcert doctor --hypervisor URI")
        return
    facts = connection.facts()
    yield Finding(True, f"hypervisor {connection.uri}: {facts.name} {facts.version}")
    lacking: dict[Capability, str] = {
        RUN: "name a hypervisor that runs machines",
        UEFI: "install OVMF (Debian: ovmf)",
        SECURE_BOOT: "install OVMF (Debian: ovmf)",
        NETWORK: "use qemu:///system, as root or in the group libvirt",
    }
    for capability, remedy in lacking.items():
        has = capability in connection.capabilities
        yield Finding(
            has,
            f"capability {capability}: {'yes' if has else 'no'}",
            remedy,
            essential=capability is RUN,
        )
    connection.close()
