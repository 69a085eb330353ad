"""Recorder: numbered records, each synced to the disk before it is acknowledged."""

from __future__ import annotations

import re
from dataclasses import dataclass

from harness.guests.guest import Guest
from harness.workloads.program import RunningProgram, carry

ALL_RECORDS = 6 * 2**20
"""Bytes of all records that the program ever writes, and some more."""


@dataclass(frozen=True)
class Recorder:
    """A program that writes records, and acknowledges each on the guest's console."""

    running: RunningProgram
    position: int  # of the console at its start

    def acknowledged(self) -> int:
        """The number of the last record that the guest acknowledged; 0 before the first."""
        console = self.running.guest.console.since(self.position)
        numbers = re.findall(rb"kept (\d{1,9})\.", console)
        return int(numbers[-1]) if numbers else 0

    def records(self) -> list[int]:
        """The numbers of the records on the disk."""
        events = self.running.events(limit=ALL_RECORDS)
        return [event.number("value") for event in events if event.text("event") == "record"]


def start_recording(guest: Guest) -> Recorder:
    """Start writing records."""
    position = guest.console.position
    return Recorder(carry(guest, "recording").start(on_disk=True), position)
