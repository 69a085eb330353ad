"""Processor models other than the host's."""

from __future__ import annotations

from typing import Protocol

from harness.hypervisors.capabilities import HypervisorFacet
from harness.hypervisors.definitions import Accelerator


class CpuModels(Protocol):
    """Processor models that a definition can name."""

    def flags(self, model: str, machine_type: str, accelerator: Accelerator) -> set[str]:
        """Features that a processor of that model offers to a guest here, by libvirt's names."""
        ...


CPU_MODELS = HypervisorFacet[CpuModels]("cpu-model")
