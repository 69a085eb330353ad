"""Boot proof: a tiny guest runs 64-bit paged code under an accelerator.

A /dev/kvm that opens proves nothing, nor does a BIOS that runs: on some nested hosts a guest's
kernel code is emulated instruction by instruction, and no kernel completes its start.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from harness.hypervisors.definitions import Accelerator
from harness.image_store.programs import clean_environment

SOURCE = Path(__file__).with_name("boot_proof.S")
EMULATOR = "qemu-system-x86_64"
SECONDS = 10.0
"""A hundred million loops take KVM a tenth of a second and TCG one or two."""

PROVED = 0x31 << 1 | 1
"""QEMU's exit status for the byte that the guest writes (documentation of isa-debug-exit)."""


def prove(accelerator: Accelerator, folder: Path, *, seconds: float = SECONDS) -> str | None:
    """Run the proof; None where it holds, else a phrase with what was seen instead."""
    with tempfile.TemporaryDirectory(dir=folder, prefix="proof-") as work:
        try:
            sector = _assemble(Path(work))
            done = subprocess.run(
                _command(accelerator, sector),
                capture_output=True,
                timeout=seconds,
                stdin=subprocess.DEVNULL,
                env=clean_environment(),
                check=False,
            )
        except subprocess.TimeoutExpired:
            return f"a 64-bit guest did not finish a second's work under it in {seconds:.0f} s"
        except (OSError, subprocess.CalledProcessError) as error:
            return f"the proof could not be run ({error})"
    if done.returncode == PROVED:
        return None
    output = done.stderr.decode(errors="replace").strip().splitlines()
    return f"a 64-bit guest ended with {done.returncode} under it ({output[-1] if output else ''})"


def _assemble(folder: Path) -> Path:
    """The boot sector of the proof, assembled by binutils."""
    sector, linked = folder / "proof.o", folder / "proof.bin"
    for command in (
        ["as", "--64", "-o", str(sector), str(SOURCE)],
        ["ld", "-N", "-Ttext", "0x7c00", "--oformat", "binary", "-o", str(linked), str(sector)],
    ):
        subprocess.run(
            command, check=True, capture_output=True, timeout=30, env=clean_environment()
        )
    return linked


def _command(accelerator: Accelerator, sector: Path) -> list[str]:
    return [
        EMULATOR,
        *("-accel", str(accelerator), "-m", "16", "-nodefaults", "-display", "none"),
        *("-device", "isa-debug-exit,iobase=0xf4,iosize=1", "-no-reboot"),
        *("-drive", f"file={sector},format=raw,if=ide,readonly=off,snapshot=on"),
    ]
