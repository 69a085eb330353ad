"""Kernel and processor of the host."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from pathlib import Path


def boot_id() -> str:
    """The kernel's id of its current boot."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def kernel_release() -> str:
    """The release of the running kernel."""
    return platform.release()


def architecture() -> str:
    """The machine architecture, by the kernel's name."""
    return platform.machine()


def processor() -> Mapping[str, str]:
    """The fields of the first processor in /proc/cpuinfo, by their names there."""
    text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    pairs = (line.partition(":") for line in text.split("\n\n")[0].splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs}
