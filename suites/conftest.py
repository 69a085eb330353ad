"""The fixtures of the cases: the plugin's, which nothing outside this folder sees."""

from __future__ import annotations

from harness.plugin.fixtures import (
    actors,
    bench,
    clones,
    guest,
    hypervisor,
    integration,
    machine,
    neighbours,
    target,
    tier,
    unstarted,
)
from harness.plugin.worker import metric

__all__ = [
    "actors",
    "bench",
    "clones",
    "guest",
    "hypervisor",
    "integration",
    "machine",
    "metric",
    "neighbours",
    "target",
    "tier",
    "unstarted",
]
