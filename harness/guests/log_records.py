"""A system log as records: a kernel's fault report is one, with all lines of its trace."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache

from pydantic import model_validator

from harness.profiles.documents import Document

LONGEST = 250
"""The most lines of one record: a report without an end must not hide the rest of the log."""

HEAD = 5
"""Lines of a framed report within which it states its fault, in one line or several."""

STAMP = re.compile(r"^\[ {0,8}\d{1,10}\.\d{1,9}\](?:\[ {0,8}[TC]\d{1,8}\])? ?")
"""The prefix of a line of Linux's kernel: its time, and in some kernels the task or processor."""


@dataclass(frozen=True)
class LogLine:
    """One line of the system log; level as in syslog: 0 emergency to 7 debug."""

    level: int
    text: str


class Frame(Document):
    """The first and the last line of a report."""

    opens: str
    closes: str


class RecordRules(Document):
    """The patterns by which a report's lines are recognized; without any, each line is a record."""

    frames: tuple[Frame, ...] = ()
    preamble: tuple[str, ...] = ()
    trace: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _are_patterns(self) -> RecordRules:
        for pattern in self.patterns():
            compiled(pattern)
        return self

    def patterns(self) -> Iterator[str]:
        """All of them."""
        for frame in self.frames:
            yield from (frame.opens, frame.closes)
        yield from (*self.preamble, *self.trace)


@dataclass(frozen=True)
class Nature:
    """The classification of a single line by the rules of its system."""

    fault: bool = False  # reports a fault, or has a level that counts
    damage: bool = False  # of a disk or file system: never a part of another report


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """The pattern; raises ValueError where it is not a regular expression."""
    try:
        return re.compile(pattern, re.MULTILINE)
    except re.error as error:
        raise ValueError(f"{pattern!r} is not a regular expression: {error}") from error


def bare(line: str) -> str:
    """A line without the kernel's time stamp."""
    return STAMP.sub("", line, count=1)


def records(
    lines: Sequence[str], natures: Sequence[Nature], rules: RecordRules
) -> Iterator[list[int]]:
    """The log's records, by the numbers of their lines. Each line is in exactly one of them.

    A line that is a fault by itself starts a record, unless it belongs to the head of a framed
    report: two faults in a row are two records, so that an exception for one hides one.
    `lines` are without their time stamps.
    """
    report: _Report | None = None
    for number, (text, is_a) in enumerate(zip(lines, natures, strict=True)):
        if report is not None:
            if report.take(number, text, is_a):
                if report.closed:
                    yield report.lines
                    report = None
                continue
            if report.continues_after(text, is_a):
                yield [number]
                continue
            yield report.lines
        report = _opened(number, text, rules, is_a)
        if report is None:
            yield [number]
    if report is not None:
        yield report.lines


@dataclass
class _Report:
    """A fault report that is still open."""

    rules: RecordRules
    frame: Frame | None
    lines: list[int]
    faulty: bool  # a line of it states a fault
    traced: bool  # its trace has started
    closed: bool = field(default=False, init=False)

    def take(self, number: int, text: str, is_a: Nature) -> bool:
        """Add the line if it is a part of this report; returns whether it is."""
        if not self._owns(text, is_a):
            return False
        self.lines.append(number)
        self.faulty = self.faulty or is_a.fault
        return True

    def _owns(self, text: str, is_a: Nature) -> bool:
        if is_a.damage or self.spent:
            return False
        if self._closes(text):
            self.closed = True
            return True
        if _matches_any(self.rules.trace, text):
            self.traced = self.traced or self.faulty
            return True
        if _frame_of(text, self.rules) is not None:
            return False
        if not self.traced and _matches_any(self.rules.preamble, text):
            return True
        in_head = not self.traced and len(self.lines) < HEAD
        return self.frame is not None and (in_head or not is_a.fault)

    @property
    def spent(self) -> bool:
        """Whether it is too long, or turned out not to be a report."""
        return len(self.lines) >= LONGEST or (len(self.lines) >= HEAD and not self.faulty)

    def _closes(self, text: str) -> bool:
        if self.frame is None or not _matches(self.frame.closes, text):
            return False
        return self.traced or not _matches(self.frame.opens, text)

    def continues_after(self, text: str, is_a: Nature) -> bool:
        """Whether the line, another fault, stands between two lines of this framed report."""
        framed = self.frame is not None and not self.spent
        return framed and is_a.fault and _frame_of(text, self.rules) is None


def _opened(number: int, text: str, rules: RecordRules, is_a: Nature) -> _Report | None:
    frame = _frame_of(text, rules)
    if frame is None and not is_a.fault:
        return None
    traced = _matches_any(rules.trace, text)
    return _Report(rules, frame, [number], faulty=is_a.fault, traced=traced)


def _frame_of(text: str, rules: RecordRules) -> Frame | None:
    return next((frame for frame in rules.frames if _matches(frame.opens, text)), None)


def _matches_any(patterns: tuple[str, ...], text: str) -> bool:
    return bool(patterns) and _matches("|".join(patterns), text)


def _matches(pattern: str, text: str) -> bool:
    return compiled(pattern).search(text) is not None
