"""Names that differ between the workers of one test run."""

from __future__ import annotations

import os


def of_this_worker(name: str) -> str:
    """A name for what lives on the host, such as a machine or a run, that no other worker uses."""
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    return f"{name}-{worker}" if worker else name
