"""A Linux guest's operating system."""

from __future__ import annotations

from harness.guests.linux.only import LinuxOnly
from harness.guests.linux.registers import LinuxRegisters
from harness.guests.log_rules import LogRules
from harness.guests.os.background import LinuxBackground
from harness.guests.os.cpus import LinuxCpus
from harness.guests.os.devices import LinuxDevices
from harness.guests.os.disks import LinuxDisks
from harness.guests.os.files import LinuxFiles
from harness.guests.os.firmware import LinuxFirmware
from harness.guests.os.hibernation import LinuxHibernation
from harness.guests.os.lifecycle import LinuxLifecycle
from harness.guests.os.log import LinuxLog
from harness.guests.os.memory import LinuxMemory
from harness.guests.os.network import LinuxNetwork
from harness.guests.os.product import LinuxProduct
from harness.guests.os.programs import LinuxPrograms
from harness.guests.os.services import LinuxServices
from harness.guests.os.tpm import LinuxTpm
from harness.guests.runner import Runner


class LinuxOs(LinuxRegisters, LinuxOnly):
    """See GuestOs; Linux-only operations are its own methods. Nothing is cached."""

    def __init__(self, run: Runner, log_rules: LogRules | None = None) -> None:
        super().__init__(run)
        self.log = LinuxLog(run, log_rules)
        self.memory = LinuxMemory(run)
        self.disks = LinuxDisks(run)
        self.lifecycle = LinuxLifecycle(run)
        self.product = LinuxProduct(run)
        self.services = LinuxServices(run)
        self.cpus = LinuxCpus(run)
        self.devices = LinuxDevices(run)
        self.network = LinuxNetwork(run)
        self.firmware = LinuxFirmware(run, self.log)
        self.tpm = LinuxTpm(run)
        self.files = LinuxFiles(run)
        self.hibernation = LinuxHibernation(run, self.firmware, self.disks)
        self.background = LinuxBackground(run)
        self.programs = LinuxPrograms()
