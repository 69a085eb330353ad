"""Display and keyboard of a machine on Hyper-V."""

from __future__ import annotations

from harness.hypervisors.facets.display import Key
from harness.hypervisors.hyperv.host_machine import HostMachine
from harness.hypervisors.hyperv.screen import as_png

SCAN_CODES = {Key.ENTER: 0x1C, Key.SPACE: 0x39}
"""Scan codes of set 1; the highest bit means release."""

RELEASED = 0x80


class HypervDisplay:
    """See Display."""

    def __init__(self, machine: HostMachine) -> None:
        self._machine = machine

    def screenshot(self) -> bytes:
        """See Display."""
        answer = self._machine.do("Get-Screen", "taking a screenshot of")
        return as_png(answer["pixels"], int(answer["width"]), int(answer["height"]))


class HypervKeyboard:
    """See Keyboard."""

    def __init__(self, machine: HostMachine) -> None:
        self._machine = machine

    def press(self, key: Key) -> None:
        """See Keyboard."""
        code = SCAN_CODES[key]
        self._machine.do("Send-Key", "pressing a key of", Press=code, Release=code | RELEASED)
