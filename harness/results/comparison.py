"""What changed between two runs: environment, features, cases and figures. Pure: no files."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from statistics import fmean

from harness.results.model import Environment, Outcome, OutcomeRecord, RunRecord, Verdict
from harness.results.store import EXIT_BROKEN, EXIT_CERTIFIED, EXIT_NOT_CERTIFIED
from harness.results.verdicts import worst

NOTABLE = 0.25
"""The part by which a figure has to change to be told: less is noise on a shared host."""

SAME_HOST = ("accelerator", "host.cpu", "hypervisor", "hypervisor_version")
"""Where one of these differs, times are another host's, and not the guest's."""

GuestVariant = tuple[str, str]
"""A guest and its variant."""


class ResultClass(Enum):
    """What an outcome or a verdict comes down to."""

    WORKS = auto()
    EXCUSED = auto()
    FAILS = auto()
    INCONCLUSIVE = auto()
    UNTESTED = auto()


OUTCOMES = {
    Outcome.PASSED: ResultClass.WORKS,
    Outcome.KNOWN_ISSUE: ResultClass.EXCUSED,
    Outcome.FAILED: ResultClass.FAILS,
    Outcome.BROKEN: ResultClass.INCONCLUSIVE,
    Outcome.BLOCKED: ResultClass.INCONCLUSIVE,
    Outcome.FLAKY: ResultClass.INCONCLUSIVE,
    Outcome.NOT_APPLICABLE: ResultClass.UNTESTED,
}

VERDICTS = {
    Verdict.VERIFIED: ResultClass.WORKS,
    Verdict.EXCEEDS_CLAIM: ResultClass.WORKS,
    Verdict.OBSERVED_WORKING: ResultClass.WORKS,
    Verdict.VIOLATED: ResultClass.FAILS,
    Verdict.OBSERVED_FAILING: ResultClass.FAILS,
    Verdict.AS_CLAIMED: ResultClass.EXCUSED,  # it does not work, and nobody said that it would
    Verdict.INCONCLUSIVE: ResultClass.INCONCLUSIVE,
    Verdict.NOT_APPLICABLE: ResultClass.UNTESTED,
    Verdict.UNTESTED: ResultClass.UNTESTED,
}


class ChangeKind(StrEnum):
    """How a feature or a case stands in the later run, held against the earlier one."""

    REGRESSION = "regression"
    FAILING = "failing, where the base could not tell"
    IN_DOUBT = "in doubt"
    EXCUSED = "failing, as is known or claimed"
    REPAIRED = "repaired"
    LOST = "required, and no longer tested"
    GONE = "no longer tested"
    NEW = "newly tested"


COVERAGE = {
    ChangeKind.LOST: ChangeKind.GONE,
    ChangeKind.GONE: ChangeKind.GONE,
    ChangeKind.NEW: ChangeKind.NEW,
}
"""Changes of what was tested, with the changes of a feature's cases that they report already."""


@dataclass(frozen=True)
class Change:
    """A feature or a case that stands otherwise; `before`, `after`: outcomes or verdicts."""

    guest: str
    variant: str
    subject: str  # a feature's id, or a case with its parameters
    before: str
    after: str
    change: ChangeKind
    feature: str
    reason: str = ""  # the later run's, as all that follows
    title: str = ""
    evidence: tuple[str, ...] = ()  # paths in the later run's directory
    rerun: str = ""


@dataclass(frozen=True)
class Figure:
    """A metric that changed notably; the mean, where a case has it several times."""

    guest: str
    variant: str
    case: str
    name: str
    unit: str
    before: float
    after: float


@dataclass(frozen=True)
class Comparison:
    """Two runs held against each other, on the guests and variants that both of them tested."""

    base: str
    head: str
    certificates: tuple[tuple[str, str, str], ...]  # guest, status before, after
    environment: tuple[tuple[str, str, str], ...]  # name, before, after
    only_base: tuple[GuestVariant, ...]
    only_head: tuple[GuestVariant, ...]
    features: tuple[Change, ...]
    cases: tuple[Change, ...]
    figures: tuple[Figure, ...]
    incomparable: tuple[str, ...]  # what of the environment makes times incomparable
    unchanged: int  # tested features that stand as they did

    @property
    def exit_code(self) -> int:
        """1 where something regressed; 3 where something is in doubt, or required and lost."""
        changes = {moved.change for moved in (*self.features, *self.cases)}
        if ChangeKind.REGRESSION in changes:
            return EXIT_NOT_CERTIFIED
        if changes & {ChangeKind.IN_DOUBT, ChangeKind.LOST} or not self.shared:
            return EXIT_BROKEN
        return EXIT_CERTIFIED

    @property
    def shared(self) -> bool:
        """Whether there is anything that both runs tested."""
        return bool(self.unchanged or self.features)


def compare(base: RunRecord, head: RunRecord) -> Comparison:
    """What changed from `base` to `head`."""
    places = [{(v.guest, v.variant) for v in run.verdicts} for run in (base, head)]
    both = places[0] & places[1]
    features = [_features(run, both) for run in (base, head)]
    cases = [_cases(run, both) for run in (base, head)]
    environment = tuple(differences(_fingerprint(base), _fingerprint(head)))
    incomparable = tuple(name for name, _, _ in environment if name in SAME_HOST)
    moved = (*_moved(*features), *_lost_variants(base, places[0] - both, places[1]))
    tested = {
        key for key, state in features[0].items() if state.standing is not ResultClass.UNTESTED
    }
    return Comparison(
        base=base.run,
        head=head.run,
        certificates=tuple(_certificates(base, head)),
        environment=environment,
        only_base=tuple(sorted(places[0] - both)),
        only_head=tuple(sorted(places[1] - both)),
        features=moved,
        cases=tuple(_not_told(_moved(*cases), moved)),
        figures=() if incomparable else tuple(_figures(base, head, both)),
        incomparable=incomparable,
        unchanged=len(tested - {(m.guest, m.variant, m.subject) for m in moved}),
    )


Key = tuple[str, str, str]


@dataclass(frozen=True)
class State:
    """How a feature or a case stands in one run; `word` is its verdict or outcome."""

    word: str = ""
    standing: ResultClass = ResultClass.UNTESTED
    feature: str = ""
    required: bool = False
    reason: str = ""
    title: str = ""
    evidence: tuple[str, ...] = ()
    rerun: str = ""


ABSENT = State()


def _certificates(base: RunRecord, head: RunRecord) -> Iterator[tuple[str, str, str]]:
    """The status of each guest that both runs looked at."""
    after = {certificate.guest: str(certificate.status) for certificate in head.certificates}
    for certificate in base.certificates:
        if certificate.guest in after:
            yield certificate.guest, str(certificate.status), after[certificate.guest]


def _features(run: RunRecord, places: Collection[GuestVariant]) -> dict[Key, State]:
    return {
        (v.guest, v.variant, v.feature): State(
            str(v.verdict), VERDICTS[v.verdict], v.feature, v.required, v.reason
        )
        for v in run.verdicts
        if (v.guest, v.variant) in places
    }


def _lost_variants(
    base: RunRecord, gone: Collection[GuestVariant], places: Collection[GuestVariant]
) -> Iterator[Change]:
    """What was required on the variants that a guest of both runs no longer has."""
    guests = {guest for guest, _ in places}
    mine = {place for place in gone if place[0] in guests}
    for moved in _moved(_features(base, mine), {}):
        if moved.change is ChangeKind.LOST:
            yield moved


def _cases(run: RunRecord, places: Collection[GuestVariant]) -> dict[Key, State]:
    """The worst outcome of each case with its parameters."""
    excused = {
        (v.guest, v.variant, v.feature) for v in run.verdicts if v.verdict is Verdict.AS_CLAIMED
    }
    gathered: dict[Key, list[OutcomeRecord]] = defaultdict(list)
    for o in run.outcomes:
        if (o.guest, o.variant) in places:
            gathered[o.guest, o.variant, o.subject].append(o)
    states: dict[Key, State] = {}
    for key, ends in gathered.items():
        counting = worst([o.outcome for o in ends])
        one = next(o for o in ends if o.outcome is counting)
        standing = OUTCOMES[one.outcome]
        if standing is ResultClass.FAILS and (one.guest, one.variant, one.feature) in excused:
            standing = ResultClass.EXCUSED
        states[key] = State(
            str(one.outcome),
            standing,
            one.feature,
            reason=one.reason,
            title=one.title,
            evidence=one.evidence,
            rerun=one.rerun,
        )
    return states


def _moved(base: Mapping[Key, State], head: Mapping[Key, State]) -> Iterator[Change]:
    for key in dict.fromkeys((*base, *head)):
        before, after = base.get(key, ABSENT), head.get(key, ABSENT)
        if before.standing is not after.standing:
            yield Change(
                *key,
                before=before.word,
                after=after.word,
                change=_change(before, after),
                feature=after.feature or before.feature,
                reason=after.reason,
                title=after.title or before.title,
                evidence=after.evidence,
                rerun=after.rerun,
            )


def _not_told(cases: Iterator[Change], features: Collection[Change]) -> Iterator[Change]:
    """The cases that their features' own changes do not report already."""
    told = {
        (m.guest, m.variant, m.subject, COVERAGE[m.change])
        for m in features
        if m.change in COVERAGE
    }
    for case in cases:
        if (case.guest, case.variant, case.feature, case.change) not in told:
            yield case


def _change(before: State, after: State) -> ChangeKind:
    was, now = before.standing, after.standing
    if now is ResultClass.UNTESTED:
        return ChangeKind.LOST if before.required else ChangeKind.GONE
    if was is ResultClass.UNTESTED:
        return ChangeKind.NEW
    if now is ResultClass.FAILS:
        return ChangeKind.FAILING if was is ResultClass.INCONCLUSIVE else ChangeKind.REGRESSION
    return {
        ResultClass.WORKS: ChangeKind.REPAIRED,
        ResultClass.EXCUSED: ChangeKind.EXCUSED,
        ResultClass.INCONCLUSIVE: ChangeKind.IN_DOUBT,
    }[now]


def fingerprint(environment: Environment) -> dict[str, str]:
    """Everything of an environment that may explain a change, by name."""
    known = environment.model_dump(exclude={"host", "guests", "accelerator_reason"})
    facts = {name: str(value) for name, value in known.items()}
    facts |= {f"host.{name}": value for name, value in environment.host.items()}
    for guest, its in environment.guests.items():
        facts |= {f"{guest}.{name}": value for name, value in its.facts().items()}
        facts.pop(f"{guest}.packages", None)  # a file's name, the same in every run
    return facts


def differences(base: Mapping[str, str], head: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """The names under which two have not the same, with both values; empty where one lacks it."""
    for name in dict.fromkeys((*base, *head)):
        before, after = base.get(name, ""), head.get(name, "")
        if before != after:
            yield name, before, after


def _fingerprint(run: RunRecord) -> dict[str, str]:
    part = {"tier": str(run.tier), "selection": run.selection, "completion": str(run.completion)}
    return fingerprint(run.environment) | part


def _figures(base: RunRecord, head: RunRecord, places: set[GuestVariant]) -> Iterator[Figure]:
    before, after = (_means(run, places) for run in (base, head))
    for key, was in before.items():
        now = after.get(key)
        if now is not None and abs(now - was) > NOTABLE * abs(was):
            yield Figure(*key, was, now)


def _means(
    run: RunRecord, places: set[GuestVariant]
) -> dict[tuple[str, str, str, str, str], float]:
    values: dict[tuple[str, str, str, str, str], list[float]] = defaultdict(list)
    for o in run.outcomes:
        if (o.guest, o.variant) in places:
            for m in o.metrics:
                values[o.guest, o.variant, o.subject, m.name, m.unit].append(m.value)
    return {key: fmean(of) for key, of in values.items()}
