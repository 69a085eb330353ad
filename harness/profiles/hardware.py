"""The hardware section of a profile: the machine for its guest."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field, model_validator

from harness.profiles.documents import Document


class Architecture(StrEnum):
    """Processor architectures, by the kernel's names."""

    X86_64 = "x86_64"
    I686 = "i686"
    AARCH64 = "aarch64"


class ProcessorFloor(StrEnum):
    """The minimum processor of an OS; levels as defined by the x86-64 psABI."""

    I486 = "i486"
    I586 = "i586"
    I686 = "i686"
    X86_64 = "x86-64"
    X86_64_V2 = "x86-64-v2"
    X86_64_V3 = "x86-64-v3"
    ARMV8_A = "armv8-a"


class Firmware(StrEnum):
    """The firmware that starts a machine's boot loader."""

    BIOS = "bios"
    UEFI = "uefi"
    SECURE_BOOT = "secure-boot"


class Tpm(StrEnum):
    """The OS's support of a Trusted Platform Module."""

    UNSUPPORTED = "unsupported"
    OPTIONAL = "optional"
    REQUIRED = "required"


class MachineType(StrEnum):
    """Chipsets that QEMU emulates."""

    Q35 = "q35"
    PC = "pc"
    VIRT = "virt"


class DiskBus(StrEnum):
    """Buses of a root disk."""

    VIRTIO = "virtio"
    SCSI = "scsi"
    SATA = "sata"
    NVME = "nvme"
    IDE = "ide"


class NicModel(StrEnum):
    """Models of network cards."""

    VIRTIO = "virtio"
    E1000E = "e1000e"
    E1000 = "e1000"
    RTL8139 = "rtl8139"


class Range(Document):
    """A minimum, a recommended and, if there is one, a maximum amount."""

    minimum: int = Field(gt=0)
    recommended: int = Field(gt=0)
    maximum: int | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _in_order(self) -> Range:
        if self.minimum > self.recommended:
            raise ValueError(f"minimum {self.minimum} is above recommended {self.recommended}")
        if self.maximum is not None and self.recommended > self.maximum:
            raise ValueError(f"recommended {self.recommended} is above maximum {self.maximum}")
        return self


class Hardware(Document):
    """Amounts, and devices in order of preference: a machine gets the first of each."""

    memory_mib: Range
    vcpus: Range
    disk_gib: Range
    machine_types: Annotated[tuple[MachineType, ...], Field(min_length=1)]
    disk_buses: Annotated[tuple[DiskBus, ...], Field(min_length=1)]
    nic_models: Annotated[tuple[NicModel, ...], Field(min_length=1)]
    cpu_floor: ProcessorFloor
    tpm: Tpm

    @model_validator(mode="after")
    def _none_twice(self) -> Hardware:
        for name in ("machine_types", "disk_buses", "nic_models"):
            values = getattr(self, name)
            if len(set(values)) != len(values):
                raise ValueError(f"{name} lists an entry more than once")
        return self

    @property
    def machine_type(self) -> MachineType:
        """The preferred chipset."""
        return self.machine_types[0]

    @property
    def disk_bus(self) -> DiskBus:
        """The preferred bus of the root disk."""
        return self.disk_buses[0]

    @property
    def nic_model(self) -> NicModel:
        """The preferred network card."""
        return self.nic_models[0]
