"""From outcomes to verdicts, and from verdicts to certificates. Pure: no clock, no files."""

from __future__ import annotations

from collections.abc import Sequence

from harness.features.catalogue import IDENTITY, Feature
from harness.features.tiers import Tier
from harness.profiles.claims import HypervisorKind
from harness.profiles.model import Profile
from harness.profiles.variants import SelectedGuests, Variant
from harness.results.model import (
    CertificateException,
    CertificateRecord,
    Claim,
    OutcomeRecord,
    Scope,
    Status,
    Untested,
    Verdict,
    VerdictRecord,
)
from harness.results.outcomes import WORST_FIRST, Outcome, ResultClass


def judge(
    outcomes: Sequence[OutcomeRecord],
    guests: SelectedGuests,
    catalogue: Sequence[Feature],
    hypervisor: str,
    kind: HypervisorKind,
    tier: Tier,
) -> tuple[VerdictRecord, ...]:
    """A verdict for every feature on every variant of every guest; none is omitted.

    `hypervisor` is the connection's URI; `kind` decides which claims hold. A feature of a higher
    tier is not required.
    """
    return tuple(
        _verdict(outcomes, profile, variant, feature, hypervisor, kind, tier)
        for profile, variants in guests
        for variant in variants
        for feature in catalogue
    )


def certify(
    verdicts: Sequence[VerdictRecord],
    outcomes: Sequence[OutcomeRecord],
    guests: SelectedGuests,
    images: dict[str, str],
    tier: Tier,
    obstacle: str = "",
) -> tuple[CertificateRecord, ...]:
    """A certificate for every guest, over all of its variants; `images` has digests by guest.

    `obstacle` is one sentence: why no guest could be examined. Empty: they could.
    """
    return tuple(
        _certificate(
            profile,
            [verdict for verdict in verdicts if verdict.guest == profile.id],
            outcomes,
            images.get(profile.id, ""),
            tier,
            obstacle,
        )
        for profile, _ in guests
    )


def worst_outcome(outcomes: Sequence[Outcome]) -> Outcome | None:
    """The worst outcome, which counts for all of them; None for no outcomes."""
    counting = [outcome for outcome in outcomes if outcome is not Outcome.NOT_APPLICABLE]
    if counting:
        return min(counting, key=WORST_FIRST.index)
    return Outcome.NOT_APPLICABLE if outcomes else None


def verdict_of(outcome: Outcome | None, claim: Claim) -> Verdict:
    """The verdict for an outcome, given the claim."""
    if outcome is None:
        return Verdict.UNTESTED
    if outcome is Outcome.NOT_APPLICABLE:
        return Verdict.NOT_APPLICABLE
    if outcome.traits.result_class is ResultClass.INCONCLUSIVE:
        return Verdict.INCONCLUSIVE
    excused = outcome is Outcome.KNOWN_ISSUE and claim is Claim.SUPPORTED
    works = outcome is Outcome.PASSED or excused
    return {
        Claim.SUPPORTED: (Verdict.VIOLATED, Verdict.VERIFIED),
        Claim.UNSUPPORTED: (Verdict.AS_CLAIMED, Verdict.EXCEEDS_CLAIM),
        Claim.NONE: (Verdict.OBSERVED_FAILING, Verdict.OBSERVED_WORKING),
    }[claim][works]


def _verdict(
    outcomes: Sequence[OutcomeRecord],
    profile: Profile,
    variant: Variant,
    feature: Feature,
    hypervisor: str,
    kind: HypervisorKind,
    tier: Tier,
) -> VerdictRecord:
    claimed = profile.claim_of(feature.id, kind)
    claim = Claim(claimed) if claimed else Claim.NONE
    sources = [profile.sources[entry.source] for entry in profile.claims_of(feature.id, kind)]
    everywhere = [o for o in outcomes if (o.guest, o.feature) == (profile.id, feature.id)]
    tested_on = tuple(dict.fromkeys(o.variant for o in everywhere))
    mine = [outcome for outcome in everywhere if outcome.variant == variant]
    untested = None if mine else _why_untested(feature, tier, tested_on)
    counting = worst_outcome([outcome.outcome for outcome in mine])
    reasons = [o.reason for o in mine if o.outcome is counting and o.reason]
    return VerdictRecord(
        guest=profile.id,
        variant=str(variant),
        hypervisor=hypervisor,
        feature=feature.id,
        claim=claim,
        claim_source=" ".join(sources),
        verdict=verdict_of(counting, claim),
        required=claim is Claim.SUPPORTED and tier.includes(feature.tier),
        reason=_untested_reason(untested, feature, tested_on) if untested else (*reasons, "")[0],
        untested=untested,
        tested_on=tested_on,
        tier=feature.tier,
    )


def _why_untested(feature: Feature, tier: Tier, tested_on: Sequence[str]) -> Untested:
    if feature.planned:
        return Untested.PLANNED
    if not tier.includes(feature.tier):
        return Untested.LATER_TIER
    return Untested.OTHER_VARIANT if tested_on else Untested.NOT_RUN


def _untested_reason(why: Untested, feature: Feature, tested_on: Sequence[str]) -> str:
    return {
        Untested.PLANNED: "it has no case yet",
        Untested.LATER_TIER: f"its cases run from tier {feature.tier} on",
        Untested.OTHER_VARIANT: f"its cases ran on {', '.join(tested_on)}",
        Untested.NOT_RUN: "no case of it ran on this variant",
    }[why]


def _certificate(
    profile: Profile,
    mine: Sequence[VerdictRecord],
    outcomes: Sequence[OutcomeRecord],
    image: str,
    tier: Tier,
    obstacle: str,
) -> CertificateRecord:
    lost = [o for o in outcomes if o.guest == profile.id and o.worker_lost]
    violated = [v for v in mine if v.verdict is Verdict.VIOLATED]
    reasons = [f"{v.feature} ({v.variant}) is violated: {_first(v.reason)}" for v in violated]
    open_reasons = [obstacle] if obstacle else []
    open_reasons += _open_features(mine)
    open_reasons += [f"{o.case} proved nothing: {_first(o.reason)}" for o in lost]
    exceptions = _exceptions(profile, outcomes)
    if violated:
        status = Status.NOT_CERTIFIED
    elif open_reasons or not _works(mine):
        status = Status.INCOMPLETE
    elif exceptions:
        status = Status.CERTIFIED_WITH_EXCEPTIONS
    else:
        status = Status.CERTIFIED
    return CertificateRecord(
        guest=profile.id,
        hypervisor=mine[0].hypervisor if mine else "",
        status=status,
        reasons=tuple(reasons + open_reasons),
        exceptions=exceptions,
        image=image,
        scope=_scope(mine, tier),
    )


def _works(verdicts: Sequence[VerdictRecord]) -> bool:
    """Whether a feature other than the guest's identity was verified."""
    return any(v.verdict is Verdict.VERIFIED and v.feature != IDENTITY for v in verdicts)


def _scope(verdicts: Sequence[VerdictRecord], tier: Tier) -> Scope:
    """The scope of the verdicts on one guest."""
    required = {verdict.feature for verdict in verdicts if verdict.required}
    verified = {v.feature for v in verdicts if v.verdict is Verdict.VERIFIED}
    doubted = {Verdict.VIOLATED, Verdict.INCONCLUSIVE}
    unsettled = {v.feature for v in verdicts if v.verdict in doubted}
    return Scope(
        tier=tier,
        variants=tuple(dict.fromkeys(verdict.variant for verdict in verdicts)),
        required=len(required),
        verified=len((required & verified) - unsettled),
    )


def _open_features(verdicts: Sequence[VerdictRecord]) -> list[str]:
    """Why a required feature is not settled: inconclusive anywhere, or tested nowhere.

    A feature may be tested on one variant alone; an inconclusive verdict is never outweighed by
    another variant's. Not applicable is not passed: what this hypervisor cannot show stays open.
    """
    reasons = []
    for feature in dict.fromkeys(v.feature for v in verdicts if v.required):
        mine = [v for v in verdicts if v.feature == feature]
        for verdict in mine:
            if verdict.verdict is Verdict.INCONCLUSIVE:
                reasons.append(
                    f"{feature} ({verdict.variant}) is inconclusive: {_first(verdict.reason)}"
                )
        settled = {Verdict.VERIFIED, Verdict.INCONCLUSIVE, Verdict.VIOLATED}
        if any(v.verdict in settled for v in mine):
            continue
        inapplicable = [v.reason for v in mine if v.verdict is Verdict.NOT_APPLICABLE]
        why = (
            f"it is not applicable here: {_first(inapplicable[0])}"
            if inapplicable
            else mine[0].reason
        )
        reasons.append(f"{feature} is untested: {why}")
    return reasons


def _exceptions(
    profile: Profile, outcomes: Sequence[OutcomeRecord]
) -> tuple[CertificateException, ...]:
    """The known issues that occurred in this run, each once."""
    occurred = [o for o in outcomes if o.guest == profile.id and o.outcome is Outcome.KNOWN_ISSUE]
    return tuple(
        CertificateException(
            feature=issue.feature,
            reason=issue.reason,
            owner=issue.owner,
            url=issue.url,
            expires=issue.expires,
        )
        for issue in profile.known_issues
        if any((o.feature, o.issue) == (issue.feature, issue.url) for o in occurred)
    )


def _first(reason: str) -> str:
    """The first line of a reason."""
    return reason.strip().splitlines()[0] if reason.strip() else "no reason was given"
