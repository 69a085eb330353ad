"""Serial console."""

from __future__ import annotations

from harness.hypervisors.capabilities import Capability

CONSOLE = Capability("console")
