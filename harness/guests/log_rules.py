"""Rules for logs and consoles: faults, damage, deaths; data for each system in log_rules.yaml."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from itertools import accumulate, islice
from pathlib import Path

from pydantic import Field, model_validator

from harness.errors import NotApplicable
from harness.guests.log_records import (
    LogLine,
    Nature,
    RecordRules,
    bare,
    compiled,
    records,
)
from harness.profiles.documents import Document, read_document
from harness.profiles.model import LogException, System

FILE = Path(__file__).with_name("log_rules.yaml")

CRITICAL, ERROR = 2, 3
"""Levels of syslog."""

MOST = 1000
"""The most records reported from one log; a guest can log faults without end."""

LEVEL = "level"
"""The name under which an exception covers records that count for their level only."""


class FaultKind(StrEnum):
    """The kind of a fault that a rule finds."""

    FAULT = "fault"
    DAMAGE = "damage"  # of a disk or a file system
    LOCKUP = "lockup"
    KILLED = "killed"  # a process, for lack of memory


class Mark(StrEnum):
    """An event that a log proves."""

    BOOT = "boot"  # the log reaches back to it
    MOUNTED = "mounted"  # the root file system
    REPAIRED = "repaired"  # a file system, when it was mounted
    SLEPT = "slept"  # and woke


class Pattern(Document):
    """A named regular expression, searched in each line of a text."""

    name: str
    pattern: str

    @model_validator(mode="after")
    def _is_pattern(self) -> Pattern:
        compiled(self.pattern)
        return self

    def matches(self, line: str) -> bool:
        """Whether it is found in the line."""
        return compiled(self.pattern).search(line) is not None

    def place_in(self, text: str) -> int | None:
        """The position of its first match in a text of several lines; None without one."""
        match = compiled(self.pattern).search(text)
        return match.start() if match else None


class Rule(Pattern):
    """Lines that report a fault."""

    kind: FaultKind = FaultKind.FAULT


class LogExemption(Pattern):
    """A pattern of benign records; `covers` names the rules that it hides, all where empty."""

    covers: tuple[str, ...] = ()
    reason: str
    source: str

    def hides(self, record: Iterable[str], found: Iterable[str]) -> bool:
        """Whether it matches a line of the record and covers all rules that found the record."""
        if self.covers and not set(found) <= set(self.covers):
            return False
        return any(self.matches(text) for line in record for text in (line, bare(line)))


class SystemRules(Document):
    """The rules of one kind of system."""

    deaths: tuple[Pattern, ...] = ()
    rules: tuple[Rule, ...] = ()
    benign: tuple[LogExemption, ...] = ()
    marks: dict[Mark, str] = Field(default_factory=dict)
    records: RecordRules = RecordRules()

    @model_validator(mode="after")
    def _is_consistent(self) -> SystemRules:
        for pattern in self.marks.values():
            compiled(pattern)
        known = {LEVEL} | {rule.name for rule in self.rules}
        for exception in self.benign:
            if not set(exception.covers) <= known:
                raise ValueError(f"{exception.name} covers a rule that does not exist")
        return self


class RulesFile(Document):
    """The content of log_rules.yaml; the firmware's deaths apply to every system."""

    firmware: SystemRules
    linux: SystemRules
    freebsd: SystemRules
    windows: SystemRules

    def of(self, system: System) -> SystemRules:
        """One system's rules, with the firmware's."""
        systems = {
            System.LINUX: self.linux,
            System.FREEBSD: self.freebsd,
            System.WINDOWS: self.windows,
        }
        rules = systems[system]
        return rules.model_copy(update={"deaths": rules.deaths + self.firmware.deaths})


@cache
def load_rules(file: Path = FILE) -> RulesFile:
    """Read the rules; raises BadFileError for the first problem of the file."""
    return read_document(file, RulesFile)


@dataclass(frozen=True)
class LogRules:
    """The rules for one guest: its system's, less what its profile records as benign."""

    system: SystemRules
    exceptions: tuple[LogExemption, ...] = ()

    @classmethod
    def of(cls, system: System, exceptions: Sequence[LogException] = ()) -> LogRules:
        """The rules of a system, with the exceptions of a profile."""
        named = tuple(
            LogExemption(
                name=each.pattern, pattern=each.pattern, reason=each.reason, source=each.url
            )
            for each in exceptions
        )
        rules = load_rules().of(system)
        return cls(rules, rules.benign + named)

    def faults(self, log: Iterable[LogLine], *, level: int = CRITICAL) -> list[str]:
        """The first lines of the records that report a fault, or are at least as severe as `level`.

        Known benign records are left out.
        """
        return [headline for headline, _ in islice(self._found(log, level), MOST)]

    def found(self, kind: FaultKind, log: Iterable[LogLine]) -> list[str]:
        """The first lines of the records that report a fault of this kind."""
        names = {rule.name for rule in self.system.rules if rule.kind is kind}
        all_found = islice(self._found(log, CRITICAL), MOST)
        return [headline for headline, found in all_found if names & found]

    def shows(self, mark: Mark, log: Iterable[LogLine]) -> bool:
        """Whether the log has the mark; raises NotApplicable where this system logs none."""
        pattern = self.system.marks.get(mark)
        if pattern is None:
            raise NotApplicable(f"this system's log does not show {mark}")
        return any(compiled(pattern).search(bare(line.text)) for line in log)

    def with_mark(self, mark: Mark, pattern: str) -> LogRules:
        """The same rules with another pattern for one mark."""
        marks = self.system.marks | {mark: pattern}
        return replace(self, system=self.system.model_copy(update={"marks": marks}))

    def _found(self, log: Iterable[LogLine], level: int) -> Iterator[tuple[str, set[str]]]:
        """The headline of each record that counts, with the names of the rules that found it."""
        lines = list(log)
        names = self._rules_of(lines)
        damage = {rule.name for rule in self.system.rules if rule.kind is FaultKind.DAMAGE}
        natures = [
            Nature(bool(found) or line.level <= level, not damage.isdisjoint(found))
            for line, found in zip(lines, names, strict=True)
        ]
        for members in records([bare(line.text) for line in lines], natures, self.system.records):
            found = set().union(*(names[member] for member in members))
            texts = [lines[member].text for member in members]
            if any(lines[member].level <= level for member in members):
                found.add(LEVEL)
            if found and not any(each.hides(texts, found) for each in self.exceptions):
                yield next(lines[member].text for member in members if natures[member].fault), found

    def _rules_of(self, lines: Sequence[LogLine]) -> list[set[str]]:
        """The names of the rules that each line matches.

        Each rule runs once over all lines: one line after the other takes ten times as long.
        """
        texts = [bare(line.text).replace("\n", " ") for line in lines]
        starts = [0, *accumulate(len(text) + 1 for text in texts)]
        whole = "\n".join(texts)
        names: list[set[str]] = [set() for _ in lines]
        for rule in self.system.rules:
            match = compiled(rule.pattern).search(whole)
            while match is not None:
                number = bisect_right(starts, match.start()) - 1
                names[number].add(rule.name)
                match = compiled(rule.pattern).search(whole, starts[number + 1])
        return names
