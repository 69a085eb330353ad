"""Processor models other than the host's."""

from __future__ import annotations

from harness.hypervisors.capabilities import Capability

CPU_MODELS = Capability("cpu-model")
"""A machine's processor model can differ from the host's."""
