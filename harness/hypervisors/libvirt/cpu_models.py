"""Processor models through libvirt."""

from __future__ import annotations

import libvirt
from defusedxml.ElementTree import fromstring

from harness.hypervisors.definitions import Accelerator
from harness.hypervisors.libvirt.definition import DOMAIN_TYPES, cpu_xml
from harness.hypervisors.libvirt.errors import wrap_errors


class LibvirtCpuModels:
    """See CpuModels."""

    def __init__(self, connection: libvirt.virConnect) -> None:
        self._connection = connection

    def flags(self, model: str, machine_type: str, accelerator: Accelerator) -> set[str]:
        """See CpuModels."""
        with wrap_errors(f"reading the features of processor model {model}"):
            expanded = self._connection.baselineHypervisorCPU(
                None,
                "x86_64",
                machine_type,
                DOMAIN_TYPES[accelerator],
                [cpu_xml(model)],
                libvirt.VIR_CONNECT_BASELINE_CPU_EXPAND_FEATURES,
            )
        features = fromstring(expanded).findall("feature[@policy='require']")
        return {feature.attrib["name"] for feature in features}
