"""Runs an installation on a real machine: console, power, keys, screenshots, and evidence."""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from harness.channels.console import Console
from harness.errors import HarnessError
from harness.events import EventKind
from harness.hypervisors.base import Machine
from harness.hypervisors.definitions import MachineDefinition
from harness.hypervisors.description import description_file
from harness.hypervisors.facets.console import CONSOLE
from harness.hypervisors.facets.display import DISPLAY, KEYBOARD, Key
from harness.image_store.programs import clean_environment
from harness.provisioning.flow import Flow
from harness.provisioning.installation_progress import InstallationError, InstallationProgress
from harness.waiting import SYSTEM_CLOCK, Clock, Deadline, NotYet, wait_until

LOOK_SECONDS = 0.5
SCREEN_SECONDS = 20.0
"""Interval between screenshots."""

MAX_SCREENS = 40
"""The number of newest screenshots to keep; equal ones in a row count once."""

KEYS_SECONDS = 30.0
"""How long a key is pressed repeatedly, if the medium needs one to boot."""

LONGEST_SECONDS = 24 * 3600.0
"""Upper limit of an installation; each state has its own, shorter deadline."""


@dataclass
class Installer:
    """Runs one installation; its evidence goes into `folder`."""

    define: Callable[[MachineDefinition], Machine]
    flow: Flow
    folder: Path
    step: Callable[[str], None]
    clock: Clock = SYSTEM_CLOCK
    _machine: Machine | None = None
    _console: Console | None = None
    _console_position: int = 0
    _mark: int = 0
    _screen: bytes = b""
    _screens: list[Path] = field(default_factory=list)
    _next_screen: float = 0.0
    _started: float = 0.0
    _reported: str = ""

    def run(self, definition: MachineDefinition, token: str, *, keys: bool = False) -> None:
        """Install on a machine of this definition, until its final power-off.

        The first boot uses the same machine without media and direct boot. Raises
        InstallationError with the state, the cause and the remedy; the evidence is in `folder`.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        scale = definition.accelerator.time_scale
        progress = InstallationProgress(
            self.flow, token, lambda seconds: Deadline(seconds * scale, self.clock)
        )
        pressing = Deadline(KEYS_SECONDS * scale if keys else 0, self.clock)
        self._started = self.clock.monotonic()
        try:
            self._power_on(definition)
            wait_until(
                lambda: self._look(progress, definition, pressing),
                awaited="the installation to end",
                deadline=Deadline(LONGEST_SECONDS, self.clock),
                interval=LOOK_SECONDS,
                error=HarnessError,
            )
        except InstallationError as error:
            self._take_screen(always=True)
            self._save_definition()
            error.evidence = self._screens[-1] if self._screens else self.folder / "console.log"
            if self._screens:
                error.sentence += f" (console: {self.folder / 'console.log'})"
            raise
        finally:
            self._remove()

    def _look(
        self, progress: InstallationProgress, definition: MachineDefinition, keys: Deadline
    ) -> None:
        """Process new output and events; returns at the installation's end, else raises NotYet."""
        assert self._machine is not None
        stopped = self._stopped()
        self._read_console(progress)
        if stopped:
            self._close_console()  # reads the rest
            self._read_console(progress)
            progress.machine_stopped()
            if progress.finished:
                return
            self._remove()
            self._power_on(without_media(definition))
        progress.check()
        if not keys.passed:
            with contextlib.suppress(HarnessError):  # off, or not on yet
                self._machine.facet(KEYBOARD).press(Key.SPACE)
        self._take_screen(progress=progress)
        self._report_state(progress)
        raise NotYet(progress.state)

    def _stopped(self) -> bool:
        assert self._machine is not None
        events = self._machine.events.since(self._mark)
        return any(event.kind is EventKind.STOPPED for event in events)

    def _power_on(self, definition: MachineDefinition) -> None:
        self._machine = self.define(definition)
        self._mark = self._machine.events.mark()
        self._machine.start(paused=True)
        self._console = Console(self._machine.facet(CONSOLE).open(), self.folder / "console.log")
        self._console_position = 0
        self._machine.resume()

    def _read_console(self, progress: InstallationProgress) -> None:
        if self._console is None:
            return
        new = self._console.read_after(self._console_position, 0)
        self._console_position = new.end
        if new.data:
            progress.feed_console(new.data)

    def _report_state(self, progress: InstallationProgress) -> None:
        state = f"{progress.state}"
        if state != self._reported:
            self._reported = state
            self.step(state)

    def _take_screen(
        self, *, always: bool = False, progress: InstallationProgress | None = None
    ) -> None:
        """Take a screenshot if one is due; the file's name has the seconds since the start."""
        now = self.clock.monotonic()
        if self._machine is None or DISPLAY not in self._machine.facets:
            return
        if now < self._next_screen and not always:
            return
        self._next_screen = now + SCREEN_SECONDS
        try:
            picture = self._machine.facet(DISPLAY).screenshot()
        except HarnessError:
            return  # off
        if picture == self._screen:
            return
        self._screen = picture
        file = self.folder / f"screen-{now - self._started:06.0f}s.png"
        file.write_bytes(picture)
        if file not in self._screens:
            self._screens.append(file)
        if len(self._screens) > MAX_SCREENS:
            self._screens.pop(0).unlink(missing_ok=True)
        if progress is not None:
            progress.feed_screen(read_screen(file))

    def _save_definition(self) -> None:
        if self._machine is not None:
            with contextlib.suppress(HarnessError):
                text = self._machine.description()
                (self.folder / description_file(text)).write_text(text, encoding="utf-8")

    def _close_console(self) -> None:
        if self._console is not None:
            self._console.close()

    def _remove(self) -> None:
        self._close_console()
        self._console = None
        if self._machine is not None:
            self._machine.remove()
            self._machine = None


def without_media(definition: MachineDefinition) -> MachineDefinition:
    """The machine of the installed system: its disk, and no medium."""
    disks = tuple(disk for disk in definition.disks if disk.boot_order == 1)
    return dataclasses.replace(definition, disks=disks, direct_boot=None)


def read_screen(picture: Path) -> str:
    """The text on a screenshot, recognized by tesseract; empty if that is not installed."""
    if shutil.which("tesseract") is None:
        return ""
    try:
        done = subprocess.run(
            ["tesseract", str(picture), "-"],
            capture_output=True,
            timeout=60,
            check=False,
            env=clean_environment(),
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.decode("utf-8", errors="replace")
