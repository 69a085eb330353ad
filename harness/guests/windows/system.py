"""A Windows guest's operating system."""

from __future__ import annotations

from harness.guests.log_rules import LogRules
from harness.guests.os.background import WindowsBackground
from harness.guests.os.cpus import WindowsCpus
from harness.guests.os.devices import WindowsDevices
from harness.guests.os.disks import WindowsDisks
from harness.guests.os.files import WindowsFiles
from harness.guests.os.firmware import WindowsFirmware
from harness.guests.os.hibernation import WindowsHibernation
from harness.guests.os.lifecycle import WindowsLifecycle
from harness.guests.os.log import WindowsLog
from harness.guests.os.memory import WindowsMemory
from harness.guests.os.network import WindowsNetwork
from harness.guests.os.product import WindowsProduct
from harness.guests.os.programs import WindowsPrograms
from harness.guests.os.services import WindowsServices
from harness.guests.os.tpm import WindowsTpm
from harness.guests.runner import Runner


class WindowsOs:
    """See GuestOs. Nothing is cached."""

    def __init__(
        self,
        run: Runner,
        kernel: tuple[int, int] | None = None,
        log_rules: LogRules | None = None,
    ) -> None:
        self.log = WindowsLog(run, kernel, log_rules)
        self.memory = WindowsMemory(run, kernel)
        self.disks = WindowsDisks(run, kernel)
        self.lifecycle = WindowsLifecycle(run, kernel, self.log)
        self.product = WindowsProduct(run, kernel)
        self.services = WindowsServices(run, kernel)
        self.cpus = WindowsCpus(run, kernel, self.memory)
        self.devices = WindowsDevices(run, kernel)
        self.network = WindowsNetwork(run, kernel)
        self.firmware = WindowsFirmware(run, kernel)
        self.tpm = WindowsTpm(run, kernel)
        self.files = WindowsFiles(run, kernel)
        self.hibernation = WindowsHibernation(run, kernel)
        self.background = WindowsBackground(run, kernel)
        self.programs = WindowsPrograms(run, kernel)
