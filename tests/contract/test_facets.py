"""The contract of facets: every driver has each one, or refuses it by its name."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

import pytest

from harness.errors import NotApplicable
from harness.hypervisors import facets
from harness.hypervisors.capabilities import Facet, HypervisorFacet, MachineFacet
from harness.hypervisors.hyperv import facets as hyperv
from harness.hypervisors.libvirt import facets as libvirt
from tests.contract.conftest import Subject


def all_facets() -> list[Facet[Any]]:
    """The tokens in the modules of the package."""
    modules = [
        importlib.import_module(f"{facets.__name__}.{module.name}")
        for module in pkgutil.iter_modules(facets.__path__)
    ]
    values = [value for module in modules for value in vars(module).values()]
    found: list[Facet[Any]] = [value for value in values if isinstance(value, Facet)]
    return sorted(set(found), key=str)


MACHINE_FACETS = [facet for facet in all_facets() if isinstance(facet, MachineFacet)]
HYPERVISOR_FACETS = [facet for facet in all_facets() if isinstance(facet, HypervisorFacet)]


def test_facets_have_names_of_their_own() -> None:
    names = [facet.name for facet in all_facets()]
    assert sorted(set(names)) == names


@pytest.mark.parametrize("facet", MACHINE_FACETS, ids=str)
def test_a_driver_has_each_facet_of_machines(facet: MachineFacet[Any]) -> None:
    bound = {binding.facet for binding in libvirt.MACHINE_FACETS}
    bound |= {binding.facet for binding in hyperv.MACHINE_FACETS}
    assert facet in bound


def test_a_machine_has_each_facet_or_refuses_it_by_its_name(subject: Subject) -> None:
    machine = subject.hypervisor.define(subject.definition)
    assert machine.facets == subject.hypervisor.capabilities & set(MACHINE_FACETS)
    for facet in MACHINE_FACETS:
        if facet in machine.facets:
            # Always the same, so that what is changed on it (a planted defect) is seen by all.
            assert machine.facet(facet) is machine.facet(facet)
        else:
            with pytest.raises(NotApplicable, match=f"the hypervisor lacks {facet}$"):
                machine.facet(facet)


def test_a_connection_has_each_facet_or_refuses_it_by_its_name(subject: Subject) -> None:
    for facet in HYPERVISOR_FACETS:
        if facet in subject.hypervisor.capabilities:
            assert subject.hypervisor.facet(facet) is not None
        else:
            with pytest.raises(NotApplicable, match=f"the hypervisor lacks {facet}$"):
                subject.hypervisor.facet(facet)
