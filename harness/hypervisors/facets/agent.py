"""Transport to QEMU's guest agent."""

from __future__ import annotations

from harness.hypervisors.capabilities import Capability

AGENT = Capability("agent")
