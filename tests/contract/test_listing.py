"""Machines of other runs come and go while they are listed and removed."""

from __future__ import annotations

import pytest

from harness.hypervisors.base import NAME_PREFIX
from harness.hypervisors.libvirt.connection import LibvirtHypervisor
from harness.lab.ownership import own
from tests.machines import a_machine

NAME = f"{NAME_PREFIX}contract-passing"


def test_what_goes_while_it_is_listed_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    hypervisor = LibvirtHypervisor("test:///default")
    machine = hypervisor.define(a_machine(name=NAME, owner=own("contract")))
    listed = hypervisor._connection.listAllDomains()
    assert NAME in [owned.name for owned in hypervisor.owned()]
    machine.remove()
    # An outdated list.
    monkeypatch.setattr(hypervisor._connection, "listAllDomains", lambda: listed)

    assert NAME not in [owned.name for owned in hypervisor.owned()]

    hypervisor.close()


def test_what_goes_while_it_is_removed_is_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    hypervisor = LibvirtHypervisor("test:///default")
    machine = hypervisor.define(a_machine(name=NAME, owner=own("contract")))
    (owned,) = [owned for owned in hypervisor.owned() if owned.name == NAME]
    found = hypervisor._connection.lookupByName(NAME)
    machine.remove()
    # Another process removed it after this one found it.
    monkeypatch.setattr(hypervisor._connection, "lookupByName", lambda _name: found)

    hypervisor.remove(owned)

    assert NAME not in [owned.name for owned in hypervisor.owned()]
    hypervisor.close()
