"""The state machine of an installation: console and screen text in, state, end or failure out."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from harness.errors import HarnessError
from harness.provisioning.flow import Failure, Flow, Stage, State
from harness.waiting import Deadline

WINDOW = 6000
"""The number of newest characters of output that patterns are matched against."""

ESCAPES = re.compile(
    r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b[()][A-Za-z0-9]|\x1b[=>78DEHM]|[\x00-\x08\x0b-\x1f\x7f]"
)
"""Terminal escape sequences and control characters of text installers."""

UNITS = re.compile(
    r"^[ \t]*\[[ \t]*(OK|FAILED|DEPEND|INFO|TIME|SKIP|WARN|[* ]+)[ \t]*\].{0,200}"
    r"|^[ \t]{4,}(Starting|Stopping|Mounting|Unmounting|Reloading|Activating)\b.{0,200}",
    re.MULTILINE,
)
"""systemd's status messages of units; their descriptions are arbitrary text.

Source: systemd, src/core/job.c, the formats of its status messages.
"""

READY = "guestcert: ready "

Timer = Callable[[float], Deadline]
"""Makes a deadline from seconds under KVM, scaled for the accelerator in use."""


class InstallationError(HarnessError):
    """A failed installation, with its state, the problem and the remedy."""

    def __init__(self, state: State, problem: str, remedy: str | None) -> None:
        super().__init__(f"while {state}: {problem}" if state else problem, remedy=remedy)
        self.state = state
        self.problem = problem


@dataclass
class InstallationProgress:
    """The state machine of one installation. Success is its token, followed by power-off."""

    flow: Flow
    token: str
    timer: Timer
    token_received: bool = False
    finished: bool = False
    power_cycle: int = 1  # the machine's power cycle: the second one boots the installed disk
    _index: int = 0
    _text: str = ""
    _deadline: Deadline = field(init=False)

    def __post_init__(self) -> None:
        self._deadline = self.timer(self._stage.seconds)

    @property
    def state(self) -> State:
        """The current state."""
        return self._stage.state

    def feed_console(self, output: bytes) -> None:
        """Process new console output. Raises InstallationError if it shows a failure."""
        plain = ESCAPES.sub(" ", output.decode("utf-8", errors="replace"))
        self._text = _newest(self._text + plain)
        self._advance()
        if READY + self.token in _joined(self._text):
            self.token_received = True
            return  # older output no longer matters: the installed system is up
        failure = self._failure(self._text)
        if failure is not None:
            raise InstallationError(self.state, failure.problem, failure.remedy)

    def feed_screen(self, text: str) -> None:
        """Process text from a screenshot. Raises InstallationError if it shows a failure."""
        failure = self._failure(text)
        if failure is not None and not self.token_received:
            raise InstallationError(self.state, failure.problem, failure.remedy)

    def machine_stopped(self) -> None:
        """Process power-off: the end, or the step from the installer to the first boot."""
        if self.token_received:
            self.finished = True
        elif self.flow.powers_off and self.power_cycle == 1 and self._reached(State.INSTALLED):
            self.power_cycle = 2
            self._text = ""
            self._deadline = self.timer(self._stage.seconds)
        else:
            raise InstallationError(
                self.state,
                "the machine powered off before the installed system sent its token",
                "read the end of the console log: the installer or the system failed",
            )

    def check(self) -> None:
        """Raise InstallationError if the state exceeds its deadline."""
        if not self._deadline.passed:
            return
        seconds = f"{self._deadline.seconds:.0f} s"
        if self.token_received:
            problem = f"the machine was not off {seconds} after the installed system's token"
        else:
            following = self._following(lambda stage: stage.marker is not None)
            awaited = following.state if following else "the token of the installed system"
            problem = f"waited {seconds} for the state {awaited!r}"
        raise InstallationError(self.state, problem, "look at the last screen and the console")

    @property
    def _stage(self) -> Stage:
        return self.flow.stages[self._index]

    def _reached(self, state: State) -> bool:
        return any(stage.state is state for stage in self.flow.stages[: self._index + 1])

    def _following(self, wanted: Callable[[Stage], bool]) -> Stage | None:
        return next((s for s in self.flow.stages[self._index + 1 :] if wanted(s)), None)

    def _advance(self) -> None:
        """Advance to the last state whose marker was printed: short states may print none."""
        joined = _joined(self._text)
        if READY + self.token in joined:
            reached = len(self.flow.stages) - 1
        else:
            later = range(self._index + 1, len(self.flow.stages))
            matched = [i for i in later if _found(self.flow.stages[i].marker, joined)]
            reached = self._allowed(matched)
        if reached > self._index:
            self._index = reached
            self._deadline = self.timer(self._stage.seconds)

    def _allowed(self, matched: list[int]) -> int:
        """The highest reached stage; a first boot needs the machine's second power cycle."""
        if self.flow.powers_off and self.power_cycle == 1:
            matched = [i for i in matched if self.flow.stages[i].state is not State.FIRST_BOOT]
        return max(matched, default=self._index)

    def _failure(self, text: str) -> Failure | None:
        without_units = UNITS.sub("", text)
        return next((f for f in self.flow.failures if _fails(f, without_units)), None)


def _found(pattern: str | None, text: str) -> bool:
    return pattern is not None and re.search(pattern, text) is not None


def _fails(failure: Failure, text: str) -> bool:
    return re.search(failure.pattern.replace(" ", r"\s+"), text) is not None


def _newest(text: str) -> str:
    """The end of a text, from a line start if possible: a cut line could match a pattern."""
    if len(text) <= WINDOW:
        return text
    return text[-WINDOW:].partition("\n")[2] or text[-WINDOW:]


def _joined(text: str) -> str:
    """Text without line breaks: installers wrap lines at the screen's width."""
    return re.sub(r"\s+", " ", text)
