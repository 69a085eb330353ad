"""Display and keyboard."""

from __future__ import annotations

from harness.hypervisors.capabilities import Capability

DISPLAY = Capability("screenshot")
KEYBOARD = Capability("keyboard")
