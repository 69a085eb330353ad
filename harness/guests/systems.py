"""Choice of the OS interface by a profile's system."""

from __future__ import annotations

from harness.guests.linux.system import LinuxOs
from harness.guests.log_rules import LogRules
from harness.guests.os.contract import GuestOs
from harness.guests.runner import Runner
from harness.guests.windows.system import WindowsOs
from harness.profiles.model import Profile, System


def os_of(profile: Profile, run: Runner, log_rules: LogRules) -> GuestOs:
    """The interface for the profile's system; FreeBSD is treated as Linux where possible."""
    if profile.system is System.WINDOWS:
        setup = profile.windows
        return WindowsOs(run, setup.version if setup else None, log_rules)
    return LinuxOs(run, log_rules)
