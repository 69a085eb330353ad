"""Renews the leases of a run while its leader process lives."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing

from harness.errors import HarnessError
from harness.hypervisors.base import Hypervisor
from harness.lab.workspace import Workspace

RENEWAL_SECONDS = 300.0
"""Interval between renewals: a small part of a lease's term."""

CLOSING_SECONDS = 10.0


class LeaseRenewal:
    """A thread that renews the leases on the run's folder and on its hypervisor resources.

    `connect` opens a separate connection for the thread; None while there is nothing to renew.
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
        self._thread = threading.Thread(target=self._renew_until_closed, name="leases", daemon=True)

    def start(self) -> None:
        """Start renewing."""
        self._thread.start()

    def close(self) -> None:
        """Stop renewing; does not wait for a hypervisor that does not answer."""
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

    def _renew_until_closed(self) -> None:
        while not self._over.wait(self._interval):
            try:
                self.renew()
                self.trouble = ""
            except (OSError, HarnessError) as error:
                self.trouble = f"the leases could not be renewed: {error}"
