"""The image store outside of a run: resources of its builds are owned, and removed at the end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path

from harness.hypervisors.accelerator import choose_accelerator
from harness.hypervisors.base import Hypervisor
from harness.hypervisors.connection import open_hypervisor
from harness.hypervisors.definitions import Accelerator, Ownership
from harness.image_store.recipe import InstallRecipe
from harness.image_store.store import ImageStore, own_builders
from harness.lab.install_builder import HypervisorMaker, InstallBuilder
from harness.lab.ownership import own
from harness.lab.reaper import reap_run
from harness.lab.renewal import LeaseRenewal
from harness.lab.workspace import Workspace


def store_of(
    root: Path, hypervisor: HypervisorMaker, owner: Ownership, accelerator: Accelerator
) -> ImageStore:
    """The store with every builder; installations run on that hypervisor, owned by `owner`."""
    installing = InstallBuilder(hypervisor, root, owner, accelerator)
    return ImageStore(root, {**own_builders(root), InstallRecipe: installing})


@contextmanager
def image_store(
    root: Path, run: str, uri: str | None, wanted: Accelerator | None
) -> Iterator[ImageStore]:
    """The store for the duration of the block; connects to a hypervisor only if needed."""
    owner = own(run)
    workspace = Workspace(root, owner)
    workspace.create()

    @cache
    def hypervisor() -> Hypervisor:
        return open_hypervisor(uri)

    def connect() -> Hypervisor | None:
        return open_hypervisor(uri) if hypervisor.cache_info().currsize else None

    renewal = LeaseRenewal(workspace, connect)
    renewal.start()
    try:
        accelerator = choose_accelerator(wanted, root, uri).accelerator
        with closing(store_of(root, hypervisor, owner, accelerator)) as store:
            yield store
    finally:
        renewal.close()
        if hypervisor.cache_info().currsize:
            reap_run(hypervisor(), root, run)
            hypervisor().close()
        workspace.remove()
