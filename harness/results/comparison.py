"""The changes between two runs: environment, features, cases and figures. Pure: no files."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from statistics import fmean

from harness.results.model import Environment, OutcomeRecord, RunRecord, Verdict
from harness.results.outcomes import ResultClass
from harness.results.store import EXIT_BROKEN, EXIT_CERTIFIED, EXIT_NOT_CERTIFIED
from harness.results.verdicts import worst_outcome

NOTABLE = 0.25
"""Relative change from which a figure is reported: less is noise on a shared host."""

SAME_HOST = ("accelerator", "host.cpu", "hypervisor", "hypervisor_version")
"""Where one of these differs, a difference in time is the host's, not the guest's."""

GuestVariant = tuple[str, str]
"""A guest and its variant."""


VERDICTS = {
    Verdict.VERIFIED: ResultClass.WORKS,
    Verdict.EXCEEDS_CLAIM: ResultClass.WORKS,
    Verdict.OBSERVED_WORKING: ResultClass.WORKS,
    Verdict.VIOLATED: ResultClass.FAILS,
    Verdict.OBSERVED_FAILING: ResultClass.FAILS,
    Verdict.AS_CLAIMED: ResultClass.EXCUSED,  # it does not work, as claimed
    Verdict.INCONCLUSIVE: ResultClass.INCONCLUSIVE,
    Verdict.NOT_APPLICABLE: ResultClass.UNTESTED,
    Verdict.UNTESTED: ResultClass.UNTESTED,
}


class ChangeKind(StrEnum):
    """How a feature or a case changed from the earlier run to the later one."""

    REGRESSION = "regression"
    FAILING = "failing, inconclusive in the base"
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
"""Changes of what was tested, with the changes of a feature's cases that they imply."""


@dataclass(frozen=True)
class Change:
    """A changed feature or case; `before` and `after` are outcomes or verdicts."""

    guest: str
    variant: str
    subject: str  # a feature's id, or a case's id with its parameters
    before: str
    after: str
    change: ChangeKind
    feature: str
    reason: str = ""  # of the later run, as are all fields below
    title: str = ""
    evidence: tuple[str, ...] = ()  # paths in the later run's directory
    rerun: str = ""


@dataclass(frozen=True)
class Figure:
    """A metric that changed notably; the mean where a case recorded it several times."""

    guest: str
    variant: str
    case: str
    name: str
    unit: str
    before: float
    after: float


@dataclass(frozen=True)
class Comparison:
    """Two runs compared on the guests and variants that both of them tested."""

    base: str
    head: str
    certificates: tuple[tuple[str, str, str], ...]  # guest, status before, after
    environment: tuple[tuple[str, str, str], ...]  # name, before, after
    only_base: tuple[GuestVariant, ...]
    only_head: tuple[GuestVariant, ...]
    features: tuple[Change, ...]
    cases: tuple[Change, ...]
    figures: tuple[Figure, ...]
    incomparable: tuple[str, ...]  # the environment's differences that make times incomparable
    unchanged: int  # tested features without a change

    @property
    def exit_code(self) -> int:
        """1 for a regression; 3 where a result is in doubt, or a required one is lost."""
        changes = {one.change for one in (*self.features, *self.cases)}
        if ChangeKind.REGRESSION in changes:
            return EXIT_NOT_CERTIFIED
        if changes & {ChangeKind.IN_DOUBT, ChangeKind.LOST} or not self.shared:
            return EXIT_BROKEN
        return EXIT_CERTIFIED

    @property
    def shared(self) -> bool:
        """Whether both runs tested any feature in common."""
        return bool(self.unchanged or self.features)


def compare(base: RunRecord, head: RunRecord) -> Comparison:
    """The changes from `base` to `head`."""
    tested_on = [{(v.guest, v.variant) for v in run.verdicts} for run in (base, head)]
    both = tested_on[0] & tested_on[1]
    features = [_features(run, both) for run in (base, head)]
    cases = [_cases(run, both) for run in (base, head)]
    environment = tuple(differences(_fingerprint(base), _fingerprint(head)))
    incomparable = tuple(name for name, _, _ in environment if name in SAME_HOST)
    changed = (*_changes(*features), *_lost_variants(base, tested_on[0] - both, tested_on[1]))
    tested = {
        key for key, state in features[0].items() if state.result_class is not ResultClass.UNTESTED
    }
    return Comparison(
        base=base.run,
        head=head.run,
        certificates=tuple(_certificates(base, head)),
        environment=environment,
        only_base=tuple(sorted(tested_on[0] - both)),
        only_head=tuple(sorted(tested_on[1] - both)),
        features=changed,
        cases=tuple(_unreported(_changes(*cases), changed)),
        figures=() if incomparable else tuple(_figures(base, head, both)),
        incomparable=incomparable,
        unchanged=len(tested - {(c.guest, c.variant, c.subject) for c in changed}),
    )


Key = tuple[str, str, str]


@dataclass(frozen=True)
class State:
    """A feature or a case in one run; `result` is its verdict or outcome."""

    result: str = ""
    result_class: ResultClass = ResultClass.UNTESTED
    feature: str = ""
    required: bool = False
    reason: str = ""
    title: str = ""
    evidence: tuple[str, ...] = ()
    rerun: str = ""


ABSENT = State()


def _certificates(base: RunRecord, head: RunRecord) -> Iterator[tuple[str, str, str]]:
    """The status of each guest that both runs tested."""
    after = {certificate.guest: str(certificate.status) for certificate in head.certificates}
    for certificate in base.certificates:
        if certificate.guest in after:
            yield certificate.guest, str(certificate.status), after[certificate.guest]


def _features(run: RunRecord, variants: Collection[GuestVariant]) -> dict[Key, State]:
    return {
        (v.guest, v.variant, v.feature): State(
            str(v.verdict), VERDICTS[v.verdict], v.feature, v.required, v.reason
        )
        for v in run.verdicts
        if (v.guest, v.variant) in variants
    }


def _lost_variants(
    base: RunRecord, gone: Collection[GuestVariant], variants: Collection[GuestVariant]
) -> Iterator[Change]:
    """The required features on variants that a guest of both runs no longer has."""
    guests = {guest for guest, _ in variants}
    mine = {one for one in gone if one[0] in guests}
    for change in _changes(_features(base, mine), {}):
        if change.change is ChangeKind.LOST:
            yield change


def _cases(run: RunRecord, variants: Collection[GuestVariant]) -> dict[Key, State]:
    """The worst outcome of each case with its parameters."""
    excused = {
        (v.guest, v.variant, v.feature) for v in run.verdicts if v.verdict is Verdict.AS_CLAIMED
    }
    gathered: dict[Key, list[OutcomeRecord]] = defaultdict(list)
    for o in run.outcomes:
        if (o.guest, o.variant) in variants:
            gathered[o.guest, o.variant, o.name].append(o)
    states: dict[Key, State] = {}
    for key, ends in gathered.items():
        counting = worst_outcome([o.outcome for o in ends])
        one = next(o for o in ends if o.outcome is counting)
        result_class = one.outcome.traits.result_class
        if result_class is ResultClass.FAILS and (one.guest, one.variant, one.feature) in excused:
            result_class = ResultClass.EXCUSED
        states[key] = State(
            str(one.outcome),
            result_class,
            one.feature,
            reason=one.reason,
            title=one.title,
            evidence=one.evidence,
            rerun=one.rerun,
        )
    return states


def _changes(base: Mapping[Key, State], head: Mapping[Key, State]) -> Iterator[Change]:
    for key in dict.fromkeys((*base, *head)):
        before, after = base.get(key, ABSENT), head.get(key, ABSENT)
        if before.result_class is not after.result_class:
            yield Change(
                *key,
                before=before.result,
                after=after.result,
                change=_change(before, after),
                feature=after.feature or before.feature,
                reason=after.reason,
                title=after.title or before.title,
                evidence=after.evidence,
                rerun=after.rerun,
            )


def _unreported(cases: Iterator[Change], features: Collection[Change]) -> Iterator[Change]:
    """The changed cases that the changes of their features do not imply."""
    implied = {
        (m.guest, m.variant, m.subject, COVERAGE[m.change])
        for m in features
        if m.change in COVERAGE
    }
    for case in cases:
        if (case.guest, case.variant, case.feature, case.change) not in implied:
            yield case


def _change(before: State, after: State) -> ChangeKind:
    was, now = before.result_class, after.result_class
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
    """The facts of an environment that may explain a change, by name."""
    known = environment.model_dump(exclude={"host", "guests", "accelerator_reason"})
    facts = {name: str(value) for name, value in known.items()}
    facts |= {f"host.{name}": value for name, value in environment.host.facts().items()}
    for guest, build in environment.guests.items():
        facts |= {f"{guest}.{name}": value for name, value in build.facts().items()}
        facts.pop(f"{guest}.packages", None)  # a file's name, equal in every run
    return facts


def differences(base: Mapping[str, str], head: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """The names whose values differ, with both values; an absent value is empty."""
    for name in dict.fromkeys((*base, *head)):
        before, after = base.get(name, ""), head.get(name, "")
        if before != after:
            yield name, before, after


def _fingerprint(run: RunRecord) -> dict[str, str]:
    part = {"tier": str(run.tier), "selection": run.selection, "completion": str(run.completion)}
    return fingerprint(run.environment) | part


def _figures(base: RunRecord, head: RunRecord, variants: set[GuestVariant]) -> Iterator[Figure]:
    before, after = (_means(run, variants) for run in (base, head))
    for key, was in before.items():
        now = after.get(key)
        if now is not None and abs(now - was) > NOTABLE * abs(was):
            yield Figure(*key, was, now)


def _means(
    run: RunRecord, variants: set[GuestVariant]
) -> dict[tuple[str, str, str, str, str], float]:
    values: dict[tuple[str, str, str, str, str], list[float]] = defaultdict(list)
    for o in run.outcomes:
        if (o.guest, o.variant) in variants:
            for m in o.metrics:
                values[o.guest, o.variant, o.name, m.name, m.unit].append(m.value)
    return {key: fmean(of) for key, of in values.items()}
