"""Machines that print an installation's output and power off."""

from __future__ import annotations

import dataclasses
import io
import re
from dataclasses import dataclass
from pathlib import Path

from pycdlib.pycdlib import PyCdlib

from harness.events import EventKind, EventLog
from harness.hypervisors.base import Machine, MachineState
from harness.hypervisors.capabilities import bind
from harness.hypervisors.definitions import DiskDevice, MachineDefinition
from harness.hypervisors.facets.display import DISPLAY, Key
from tests.fakes.hypervisor import FakeHypervisor, FakeMachine

READY = re.compile(rb"guestcert: ready ([0-9a-f]+)")


@dataclass
class TalkingMachine(FakeMachine):
    """Prints its output when it starts, then powers off, unless it `stays`."""

    words: str = ""
    stays: bool = False

    def resume(self) -> None:
        """See Machine."""
        super().resume()
        self.speak()

    def speak(self) -> None:
        """Print the output and power off."""
        assert self.guest_end is not None
        self.guest_end.sendall(self.words.encode())
        if not self.stays:
            self.become(MachineState.OFF, EventKind.STOPPED, "shutdown")


@dataclass
class Lives:
    """Creates machines, each with the next output."""

    words: list[str]
    stays: bool = False
    kind: type[TalkingMachine] = TalkingMachine
    made: list[TalkingMachine] = dataclasses.field(default_factory=list)

    def define(self, definition: MachineDefinition) -> Machine:
        """See Hypervisor."""
        words = self.words[len(self.made)]
        machine = self.kind(definition, EventLog(), lambda _: None, words=words, stays=self.stays)
        self.made.append(machine)
        return machine


class StillDisplay:
    """See Display. Always the same picture."""

    def __init__(self, _machine: FakeMachine) -> None:
        pass

    def screenshot(self) -> bytes:
        """See Display."""
        return b"a still picture"


class MovingDisplay:
    """See Display. Another picture each time."""

    def __init__(self, _machine: FakeMachine) -> None:
        self._pictures = 0

    def screenshot(self) -> bytes:
        """See Display."""
        self._pictures += 1
        return f"picture {self._pictures}".encode()


class StillMachine(TalkingMachine):
    """Has a screen that does not change."""

    FACETS = (*TalkingMachine.FACETS, bind(DISPLAY, StillDisplay))


class MovingMachine(TalkingMachine):
    """Has a screen that changes with each screenshot."""

    FACETS = (*TalkingMachine.FACETS, bind(DISPLAY, MovingDisplay))


@dataclass
class KeyedMachine(TalkingMachine):
    """Starts from its medium only when a key is pressed."""

    asked: bool = True

    def speak(self) -> None:
        """Print nothing until the key is pressed."""
        if not self.asked:
            super().speak()

    def press(self, key: Key) -> None:
        """See FakeMachine."""
        super().press(key)
        self.asked = False
        self.speak()


@dataclass
class WindowsSetups(FakeHypervisor):
    """Its machines behave as Windows Setup with the answers' CD."""

    keyed: bool = False  # the medium asks for a key
    made: list[TalkingMachine] = dataclasses.field(default_factory=list)

    def define(self, definition: MachineDefinition) -> Machine:
        """See Hypervisor."""
        self.defined.append(definition)
        words = f"guestcert: stage drivers\r\nguestcert: ready {_token(definition)}\r\n"
        kind = KeyedMachine if self.keyed else TalkingMachine
        machine = kind(definition, EventLog(), self._forget_machine, words=words)
        self.machines[definition.name] = machine
        self.made.append(machine)
        return machine


def cds(definition: MachineDefinition) -> list[Path]:
    """The media in a machine's drives, in their order."""
    return [disk.path for disk in definition.disks if disk.device is DiskDevice.CDROM]


def _token(definition: MachineDefinition) -> str:
    """The token that the script of the first log-on prints at its end."""
    iso = PyCdlib()
    iso.open(str(cds(definition)[1]))
    script = io.BytesIO()
    iso.get_file_from_iso_fp(script, joliet_path="/guestcert/setup.cmd")
    iso.close()
    found = READY.search(script.getvalue())
    assert found is not None
    return found.group(1).decode()
