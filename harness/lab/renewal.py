"""Renews the leases of a run, for as long as the process that leads it lives."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing

from harness.errors import HarnessError
from harness.hypervisors.base import Hypervisor
from harness.lab.workspace import Workspace

RENEWAL_SECONDS = 300.0
"""How often leases are renewed: many times in the term of one."""

CLOSING_SECONDS = 10.0


class LeaseRenewal:
    """A thread that renews the lease on the run's folder and on all that is its on a hypervisor.

    `connect` opens a connection of the thread's own; None where there is nothing to renew yet.
    """

    def __init__(
        self,
        workspace: Workspace,
        connect: Callable[[], Hypervisor | None],
        interval: float = RENEWAL_SECONDS,
    ) -> None:
        self.trouble = ""  # why the last renewal failed
        self._workspace = workspace
        self._connect = connect
        self._interval = interval
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._renew_all_along, name="leases", daemon=True)

    def start(self) -> None:
        """Renew from now on."""
        self._thread.start()

    def close(self) -> None:
        """Renew no more; a hypervisor that does not answer is not waited for."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join(CLOSING_SECONDS)

    def renew(self) -> None:
        """Renew every lease once. Raises OSError or HarnessError."""
        try:
            self._workspace.renew()
        finally:
            self._renew_on_hypervisor()

    def _renew_on_hypervisor(self) -> None:
        hypervisor = self._connect()
        if hypervisor is None:
            return
        with closing(hypervisor):
            for owned in hypervisor.owned():
                if owned.owner == self._workspace.owner and not self._over.is_set():
                    hypervisor.renew(owned)

    def _renew_all_along(self) -> None:
        while not self._over.wait(self._interval):
            try:
                self.renew()
                self.trouble = ""
            except (OSError, HarnessError) as error:
                self.trouble = f"the leases could not be renewed: {error}"
