"""Where an installation is: fed with what is heard and seen, it tells when it ends, and how."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from harness.errors import HarnessError
from harness.provisioning.flow import Failure, Flow, Stage, State
from harness.waiting import Deadline

WINDOW = 6000
"""Characters of the newest output in which patterns are looked for."""

ESCAPES = re.compile(
    r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b[()][A-Za-z0-9]|\x1b[=>78DEHM]|[\x00-\x08\x0b-\x1f\x7f]"
)
"""What a text installer draws its screen with."""

UNITS = re.compile(
    r"^[ \t]*\[[ \t]*(OK|FAILED|DEPEND|INFO|TIME|SKIP|WARN|[* ]+)[ \t]*\].{0,200}"
    r"|^[ \t]{4,}(Starting|Stopping|Mounting|Unmounting|Reloading|Activating)\b.{0,200}",
    re.MULTILINE,
)
"""What systemd reports of units as a system starts; their descriptions may be anything.

Source: systemd, src/core/job.c, the formats of its status messages.
"""

READY = "guestcert: ready "

Timer = Callable[[float], Deadline]
"""Makes a deadline of so many seconds under KVM, scaled for the accelerator in use."""


class InstallationError(HarnessError):
    """An installation that did not end well; says in which state, and what to try."""

    def __init__(self, state: State, problem: str, remedy: str | None) -> None:
        super().__init__(f"while {state}: {problem}" if state else problem, remedy=remedy)
        self.state = state
        self.problem = problem


@dataclass
class InstallationProgress:
    """The state machine of one installation. Success is its token, and then power-off."""

    flow: Flow
    token: str
    timer: Timer
    token_heard: bool = False
    over: bool = False
    lives: int = 1  # of the machine: the second one boots the installed disk
    _index: int = 0
    _text: str = ""
    _deadline: Deadline = field(init=False)

    def __post_init__(self) -> None:
        self._deadline = self.timer(self._stage.seconds)

    @property
    def state(self) -> State:
        """The state that it is in."""
        return self._stage.state

    def hear(self, output: bytes) -> None:
        """Take new output of the console in; raises InstallationError where it tells of failure."""
        plain = ESCAPES.sub(" ", output.decode("utf-8", errors="replace"))
        self._text = _newest(self._text + plain)
        self._go_on()
        if READY + self.token in _joined(self._text):
            self.token_heard = True
            return  # whatever is still on the screen, the installed system has spoken
        failure = self._failure(self._text)
        if failure is not None:
            raise InstallationError(self.state, failure.problem, failure.remedy)

    def see(self, words: str) -> None:
        """Take in what was read off the screen, which tells of failure only."""
        failure = self._failure(words)
        if failure is not None and not self.token_heard:
            raise InstallationError(self.state, failure.problem, failure.remedy)

    def stopped(self) -> None:
        """The machine is off: the end, or between the installer and the first boot."""
        if self.token_heard:
            self.over = True
        elif self.flow.powers_off and self.lives == 1 and self._reached(State.INSTALLED):
            self.lives = 2
            self._text = ""
            self._deadline = self.timer(self._stage.seconds)
        else:
            raise InstallationError(
                self.state,
                "the machine went off before the installed system had spoken",
                "read the console's end: the installer, or the system, gave up",
            )

    def check(self) -> None:
        """Raise InstallationError where the state lasts longer than it may."""
        if not self._deadline.passed:
            return
        seconds = f"{self._deadline.seconds:.0f} s"
        if self.token_heard:
            problem = f"the machine was not off {seconds} after the installed system had spoken"
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

    def _go_on(self) -> None:
        """Go to the last state whose marker is heard: short ones may not be heard at all."""
        joined = _joined(self._text)
        if READY + self.token in joined:
            reached = len(self.flow.stages) - 1
        else:
            later = range(self._index + 1, len(self.flow.stages))
            heard = [i for i in later if _found(self.flow.stages[i].marker, joined)]
            reached = self._allowed(heard)
        if reached > self._index:
            self._index = reached
            self._deadline = self.timer(self._stage.seconds)

    def _allowed(self, heard: list[int]) -> int:
        """A first boot that its installer announces in the first life has not come yet."""
        if self.flow.powers_off and self.lives == 1:
            heard = [i for i in heard if self.flow.stages[i].state is not State.FIRST_BOOT]
        return max(heard, default=self._index)

    def _failure(self, text: str) -> Failure | None:
        said = UNITS.sub("", text)
        return next((f for f in self.flow.failures if _fails(f, said)), None)


def _found(pattern: str | None, text: str) -> bool:
    return pattern is not None and re.search(pattern, text) is not None


def _fails(failure: Failure, text: str) -> bool:
    return re.search(failure.pattern.replace(" ", r"\s+"), text) is not None


def _newest(text: str) -> str:
    """The end of a text, by whole lines where it has some: a cut one has lost what it is about."""
    if len(text) <= WINDOW:
        return text
    return text[-WINDOW:].partition("\n")[2] or text[-WINDOW:]


def _joined(text: str) -> str:
    """Text without its line breaks: installers break lines where their screen ends."""
    return re.sub(r"\s+", " ", text)
