"""The fixtures of the end-to-end tests."""

from __future__ import annotations

from tests.e2e.conftest import certify, plant

__all__ = ["certify", "plant"]
