"""A libvirt machine over a fake domain: its start after its guest powered it off."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import libvirt
import pytest

from harness.errors import HypervisorError
from harness.events import EventKind, EventLog
from harness.hypervisors.libvirt.domain import Domain
from harness.hypervisors.libvirt.machine import LibvirtMachine
from tests.machines import a_machine


class FakeDomain:
    """A named fake of libvirt's domain, whose first starts fail."""

    def __init__(self, failures: int, state: int = libvirt.VIR_DOMAIN_SHUTOFF) -> None:
        self.failures = failures
        self.starts: list[int] = []
        self._state = state

    def createWithFlags(self, flags: int) -> None:  # noqa: N802 - libvirt's name
        self.starts.append(flags)
        if len(self.starts) <= self.failures:
            raise libvirt.libvirtError("process exited while connecting to monitor")

    def state(self) -> list[int]:
        return [self._state, 0]


def machine_on(domain: FakeDomain, *ends: str) -> LibvirtMachine:
    """A machine that stopped before with these details, one after the other."""
    events = EventLog()
    for detail in ends:
        events.add(EventKind.STARTED)
        events.add(EventKind.STOPPED, detail)
    known = SimpleNamespace(name="guest", definition=a_machine(), handle=domain)
    return LibvirtMachine(cast(Domain, known), events, ())


def test_a_start_after_the_guest_s_shutdown_has_a_second_attempt() -> None:
    domain = FakeDomain(failures=1)
    machine_on(domain, "destroyed", "shutdown").start(paused=True)
    assert domain.starts == [libvirt.VIR_DOMAIN_START_PAUSED] * 2


def test_a_second_failure_is_reported() -> None:
    domain = FakeDomain(failures=2)
    with pytest.raises(HypervisorError, match="starting guest: process exited"):
        machine_on(domain, "shutdown").start()
    assert len(domain.starts) == 2


@pytest.mark.parametrize("ends", [(), ("destroyed",), ("shutdown", "destroyed")])
def test_any_other_start_has_one_attempt(ends: tuple[str, ...]) -> None:
    domain = FakeDomain(failures=1)
    with pytest.raises(HypervisorError):
        machine_on(domain, *ends).start()
    assert len(domain.starts) == 1


def test_a_machine_that_is_not_off_is_not_started_again() -> None:
    domain = FakeDomain(failures=1, state=libvirt.VIR_DOMAIN_RUNNING)
    with pytest.raises(HypervisorError):
        machine_on(domain, "shutdown").start()
    assert len(domain.starts) == 1
