"""From outcomes to verdicts, and from verdicts to certificates."""

from __future__ import annotations

import pytest

from harness.features.tiers import Tier
from harness.profiles.claims import HypervisorKind
from harness.profiles.hardware import Firmware
from harness.profiles.model import Profile
from harness.results.model import (
    CertificateRecord,
    Claim,
    OutcomeRecord,
    Scope,
    Status,
    Untested,
    Verdict,
    VerdictRecord,
)
from harness.results.outcomes import Outcome
from harness.results.verdicts import certify, judge, verdict_of, worst_outcome
from tests.unit.builders import (
    SOURCE,
    URI,
    a_feature,
    a_known_issue,
    a_profile,
    an_outcome,
)

STANDARD = Tier.STANDARD
QEMU = HypervisorKind.QEMU
BIOS, UEFI = Firmware.BIOS, Firmware.UEFI

INCONCLUSIVE = dict.fromkeys(Claim, Verdict.INCONCLUSIVE)

TABLE: dict[Outcome | None, dict[Claim, Verdict]] = {
    Outcome.PASSED: {
        Claim.SUPPORTED: Verdict.VERIFIED,
        Claim.UNSUPPORTED: Verdict.EXCEEDS_CLAIM,
        Claim.NONE: Verdict.OBSERVED_WORKING,
    },
    Outcome.FAILED: {
        Claim.SUPPORTED: Verdict.VIOLATED,
        Claim.UNSUPPORTED: Verdict.AS_CLAIMED,
        Claim.NONE: Verdict.OBSERVED_FAILING,
    },
    # Excused where the feature is claimed; elsewhere it is what it was, a failure.
    Outcome.KNOWN_ISSUE: {
        Claim.SUPPORTED: Verdict.VERIFIED,
        Claim.UNSUPPORTED: Verdict.AS_CLAIMED,
        Claim.NONE: Verdict.OBSERVED_FAILING,
    },
    Outcome.BROKEN: INCONCLUSIVE,
    Outcome.BLOCKED: INCONCLUSIVE,
    Outcome.FLAKY: INCONCLUSIVE,
    Outcome.NOT_APPLICABLE: dict.fromkeys(Claim, Verdict.NOT_APPLICABLE),
    None: dict.fromkeys(Claim, Verdict.UNTESTED),
}


def judged(
    profile: Profile, *outcomes: OutcomeRecord, variants: tuple[Firmware, ...] = (BIOS,)
) -> tuple[VerdictRecord, ...]:
    """The verdicts on boot.ready and boot.pause."""
    catalogue = [a_feature("boot.ready"), a_feature("boot.pause")]
    return judge(outcomes, [(profile, variants)], catalogue, URI, QEMU, STANDARD)


def on_ready(*outcomes: OutcomeRecord) -> VerdictRecord:
    """The verdict on boot.ready, which is claimed."""
    return judged(a_profile(supported=["boot.ready"]), *outcomes)[0]


def certified(
    profile: Profile, *outcomes: OutcomeRecord, variants: tuple[Firmware, ...] = (BIOS,)
) -> CertificateRecord:
    """The certificate of one guest."""
    guests = [(profile, variants)]
    verdicts = judged(profile, *outcomes, variants=variants)
    (certificate,) = certify(verdicts, outcomes, guests, {profile.id: "sha256:0123"}, STANDARD)
    return certificate


# Outcomes of one feature


def test_the_table_knows_every_outcome() -> None:
    assert set(TABLE) == {*Outcome, None}


@pytest.mark.parametrize("claim", Claim)
@pytest.mark.parametrize("outcome", TABLE)
def test_every_outcome_says_something_against_every_claim(
    outcome: Outcome | None, claim: Claim
) -> None:
    assert verdict_of(outcome, claim) is TABLE[outcome][claim]


def test_the_worst_outcome_counts() -> None:
    left = [
        Outcome.PASSED,
        Outcome.KNOWN_ISSUE,
        Outcome.FLAKY,
        Outcome.BLOCKED,
        Outcome.BROKEN,
        Outcome.FAILED,
    ]
    order = []
    while left:
        found = worst_outcome(left)
        assert found is not None
        order.append(found)
        left.remove(found)
    assert order == [
        Outcome.FAILED,
        Outcome.BROKEN,
        Outcome.BLOCKED,
        Outcome.FLAKY,
        Outcome.KNOWN_ISSUE,
        Outcome.PASSED,
    ]


def test_what_is_not_applicable_counts_only_where_all_is() -> None:
    assert worst_outcome([Outcome.NOT_APPLICABLE, Outcome.PASSED]) is Outcome.PASSED
    assert worst_outcome([Outcome.NOT_APPLICABLE, Outcome.FAILED]) is Outcome.FAILED
    assert worst_outcome([Outcome.NOT_APPLICABLE, Outcome.NOT_APPLICABLE]) is Outcome.NOT_APPLICABLE


def test_without_an_outcome_there_is_no_worst_one() -> None:
    assert worst_outcome([]) is None


# Verdicts on features


def test_no_feature_and_no_variant_is_left_out() -> None:
    guests = [(a_profile("debian-12"), (BIOS, UEFI)), (a_profile("rhel-9"), (UEFI,))]
    verdicts = judge(
        (), guests, [a_feature("boot.ready"), a_feature("boot.pause")], URI, QEMU, STANDARD
    )
    assert [(v.guest, v.variant, v.feature) for v in verdicts] == [
        ("debian-12", "bios", "boot.ready"),
        ("debian-12", "bios", "boot.pause"),
        ("debian-12", "uefi", "boot.ready"),
        ("debian-12", "uefi", "boot.pause"),
        ("rhel-9", "uefi", "boot.ready"),
        ("rhel-9", "uefi", "boot.pause"),
    ]
    assert {v.verdict for v in verdicts} == {Verdict.UNTESTED}
    assert {v.reason for v in verdicts} == {"no case of it ran on this variant"}


def test_a_verdict_names_the_claim_and_who_made_it() -> None:
    ready, pause = judged(a_profile(supported=["boot.ready"]))
    assert (ready.claim, ready.claim_source, ready.required) == (Claim.SUPPORTED, SOURCE, True)
    assert (pause.claim, pause.claim_source, pause.required) == (Claim.NONE, "", False)


def test_a_feature_that_is_claimed_not_to_work_is_not_required() -> None:
    _, pause = judged(a_profile(unsupported=["boot.pause"]))
    assert (pause.claim, pause.required) == (Claim.UNSUPPORTED, False)


def test_one_failed_case_among_passed_ones_violates_the_claim() -> None:
    verdict = on_ready(an_outcome(), an_outcome(Outcome.FAILED, reason="no login"), an_outcome())
    assert (verdict.verdict, verdict.reason) == (Verdict.VIOLATED, "no login")


def test_the_reason_is_the_worst_outcomes_own() -> None:
    verdict = on_ready(
        an_outcome(Outcome.FLAKY, reason="once so, once so"),
        an_outcome(Outcome.BROKEN, reason="no disk space"),
    )
    assert (verdict.verdict, verdict.reason) == (Verdict.INCONCLUSIVE, "no disk space")


def test_variants_and_guests_are_judged_apart() -> None:
    outcomes = [
        an_outcome(variant=BIOS),
        an_outcome(Outcome.FAILED, variant=UEFI),
        an_outcome(Outcome.BROKEN, guest="rhel-9"),
    ]
    profile = a_profile(supported=["boot.ready"])
    verdicts = judged(profile, *outcomes, variants=(BIOS, UEFI))
    reported = {v.variant: v.verdict for v in verdicts if v.feature == "boot.ready"}
    assert reported == {"bios": Verdict.VERIFIED, "uefi": Verdict.VIOLATED}


# Certificates


def test_a_guest_that_keeps_every_claim_is_certified() -> None:
    certificate = certified(a_profile(supported=["boot.ready"]), an_outcome())
    assert certificate.status is Status.CERTIFIED
    assert (certificate.reasons, certificate.exceptions) == ((), ())
    assert (certificate.hypervisor, certificate.image) == (URI, "sha256:0123")


def test_a_guest_of_which_only_its_name_is_verified_is_not_certified() -> None:
    profile = a_profile(supported=("boot.identity",))
    outcome = an_outcome(feature="boot.identity")
    verdicts = judge(
        [outcome], [(profile, (BIOS,))], [a_feature("boot.identity")], URI, QEMU, STANDARD
    )
    assert [verdict.verdict for verdict in verdicts] == [Verdict.VERIFIED]
    (certificate,) = certify(verdicts, [outcome], [(profile, (BIOS,))], {}, STANDARD)
    assert certificate.status is Status.INCOMPLETE


def test_a_guest_that_breaks_a_claim_is_not_certified() -> None:
    outcome = an_outcome(Outcome.FAILED, reason="no login\nand much more")
    certificate = certified(a_profile(supported=["boot.ready"]), outcome)
    assert certificate.status is Status.NOT_CERTIFIED
    assert certificate.reasons == ("boot.ready (bios) is violated: no login",)


def test_a_broken_claim_outweighs_all_that_is_open() -> None:
    certificate = certified(
        a_profile(supported=["boot.ready", "boot.pause"]),
        an_outcome(Outcome.FAILED),
        an_outcome(Outcome.BROKEN, "boot.pause"),
    )
    assert certificate.status is Status.NOT_CERTIFIED
    assert certificate.reasons == (
        "boot.ready (bios) is violated: no reason was given",
        "boot.pause (bios) is inconclusive: no reason was given",
    )


@pytest.mark.parametrize("outcome", [Outcome.BROKEN, Outcome.BLOCKED, Outcome.FLAKY])
def test_a_claim_that_no_case_could_tell_of_leaves_it_incomplete(outcome: Outcome) -> None:
    certificate = certified(
        a_profile(supported=["boot.ready", "boot.pause"]),
        an_outcome(),
        an_outcome(outcome, "boot.pause", reason="lost"),
    )
    assert certificate.status is Status.INCOMPLETE
    assert certificate.reasons == ("boot.pause (bios) is inconclusive: lost",)


def test_a_claim_that_no_case_tested_leaves_it_incomplete() -> None:
    certificate = certified(a_profile(supported=["boot.ready", "boot.pause"]), an_outcome())
    assert certificate.status is Status.INCOMPLETE
    assert certificate.reasons == ("boot.pause is untested: no case of it ran on this variant",)


def test_a_guest_of_which_nothing_is_claimed_is_not_certified_for_it() -> None:
    assert certified(a_profile(), an_outcome()).status is Status.INCOMPLETE


def test_a_case_that_died_with_its_worker_leaves_it_incomplete() -> None:
    lost = an_outcome(
        Outcome.BROKEN,
        "boot.pause",
        reason="the worker process died",
        case="test_x",
        worker_lost=True,
    )
    certificate = certified(a_profile(supported=["boot.ready"]), an_outcome(), lost)
    assert certificate.status is Status.INCOMPLETE
    assert certificate.reasons == ("test_x proved nothing: the worker process died",)


def test_a_feature_may_be_tested_on_one_variant_alone() -> None:
    profile = a_profile(supported=["boot.ready"])
    certificate = certified(profile, an_outcome(variant=UEFI), variants=(BIOS, UEFI))
    assert certificate.status is Status.CERTIFIED


def test_another_variant_does_not_make_good_an_inconclusive_one() -> None:
    outcomes = [an_outcome(variant=BIOS), an_outcome(Outcome.BROKEN, variant=UEFI, reason="lost")]
    profile = a_profile(supported=["boot.ready"])
    certificate = certified(profile, *outcomes, variants=(BIOS, UEFI))
    assert certificate.status is Status.INCOMPLETE
    assert certificate.reasons == ("boot.ready (uefi) is inconclusive: lost",)


def test_what_belongs_to_a_higher_tier_is_not_required() -> None:
    profile = a_profile(supported=["boot.ready", "boot.pause"])
    catalogue = [a_feature("boot.ready"), a_feature("boot.pause", tier=Tier.FULL)]
    for tier, status in ((STANDARD, Status.CERTIFIED), (Tier.FULL, Status.INCOMPLETE)):
        guests = [(profile, (BIOS,))]
        verdicts = judge([an_outcome()], guests, catalogue, URI, QEMU, tier)
        (certificate,) = certify(verdicts, [an_outcome()], guests, {}, tier)
        assert certificate.status is status
    assert "from tier full on" in judge((), guests, catalogue, URI, QEMU, STANDARD)[1].reason


def test_a_certificate_says_what_it_covers() -> None:
    profile = a_profile(supported=["boot.ready", "boot.pause"])
    whole = certified(
        profile, an_outcome(), an_outcome(feature="boot.pause"), variants=(BIOS, UEFI)
    )
    assert whole.status is Status.CERTIFIED
    assert whole.scope == Scope(tier=STANDARD, variants=("bios", "uefi"), required=2, verified=2)
    part = certified(profile, an_outcome())
    assert part.scope == Scope(tier=STANDARD, variants=("bios",), required=2, verified=1)


@pytest.mark.parametrize("bad", [Outcome.FAILED, Outcome.BROKEN])
def test_a_feature_that_is_in_doubt_anywhere_is_not_counted_as_verified(bad: Outcome) -> None:
    profile = a_profile(supported=["boot.ready"])
    scope = certified(
        profile, an_outcome(), an_outcome(bad, variant=UEFI), variants=(BIOS, UEFI)
    ).scope
    assert scope is not None
    assert (scope.required, scope.verified) == (1, 0)


def test_what_works_unclaimed_is_not_counted() -> None:
    scope = certified(a_profile(supported=["boot.ready"]), an_outcome(feature="boot.pause")).scope
    assert scope is not None
    assert (scope.required, scope.verified) == (1, 0)


def test_why_a_feature_is_untested_is_a_field() -> None:
    catalogue = [
        a_feature("boot.ready"),
        a_feature("boot.pause"),
        a_feature("boot.reset", tier=Tier.FULL),
        a_feature("boot.clone", planned=True),
    ]
    guests = [(a_profile(), (BIOS, UEFI))]
    verdicts = judge([an_outcome()], guests, catalogue, URI, QEMU, STANDARD)
    found = {(v.feature, v.variant): (v.untested, v.tested_on, v.tier) for v in verdicts}
    assert found["boot.ready", "bios"] == (None, ("bios",), Tier.SMOKE)
    assert found["boot.ready", "uefi"] == (Untested.OTHER_VARIANT, ("bios",), Tier.SMOKE)
    for variant in ("bios", "uefi"):
        assert found["boot.pause", variant] == (Untested.NOT_RUN, (), Tier.SMOKE)
        assert found["boot.reset", variant] == (Untested.LATER_TIER, (), Tier.FULL)
        assert found["boot.clone", variant] == (Untested.PLANNED, (), Tier.SMOKE)


def test_a_promise_that_no_case_can_keep_yet_stays_open() -> None:
    profile = a_profile(supported=["boot.ready", "boot.pause"])
    catalogue = [a_feature("boot.ready"), a_feature("boot.pause", planned=True)]
    guests = [(profile, (BIOS,))]
    verdicts = judge([an_outcome()], guests, catalogue, URI, QEMU, STANDARD)
    (certificate,) = certify(verdicts, [an_outcome()], guests, {}, Tier.FULL)
    assert certificate.reasons == ("boot.pause is untested: it has no case yet",)


def test_claims_on_another_hypervisor_are_not_held_against_this_one() -> None:
    profile = a_profile(supported=["boot.ready"], on=HypervisorKind.HYPERV)
    here, there = (
        judge([], [(profile, (BIOS,))], [a_feature("boot.ready")], URI, kind, STANDARD)[0].claim
        for kind in (QEMU, HypervisorKind.HYPERV)
    )
    assert (here, there) == (Claim.NONE, Claim.SUPPORTED)


def test_a_claimed_feature_that_can_not_be_shown_here_is_not_certified() -> None:
    certificate = certified(
        a_profile(supported=["boot.ready", "boot.pause"]),
        an_outcome(),
        an_outcome(Outcome.NOT_APPLICABLE, "boot.pause", reason="the hypervisor lacks pause"),
    )
    assert certificate.status is Status.INCOMPLETE
    assert certificate.reasons == (
        "boot.pause is untested: it is not applicable here: the hypervisor lacks pause",
    )


def test_a_variant_to_which_a_feature_does_not_apply_stands_in_nobodys_way() -> None:
    certificate = certified(
        a_profile(supported=["boot.ready"]),
        an_outcome(),
        an_outcome(Outcome.NOT_APPLICABLE, variant=UEFI),
        variants=(BIOS, UEFI),
    )
    assert certificate.status is Status.CERTIFIED


@pytest.mark.parametrize("outcome", Outcome)
def test_what_is_not_claimed_to_work_does_not_keep_a_guest_from_it(outcome: Outcome) -> None:
    profile = a_profile(supported=["boot.ready"], unsupported=["boot.pause"])
    certificate = certified(profile, an_outcome(), an_outcome(outcome, "boot.pause"))
    assert certificate.status is Status.CERTIFIED


def test_a_known_issue_is_an_exception_with_reason_owner_and_expiry() -> None:
    issue = a_known_issue("boot.ready", 7)
    outcome = an_outcome(Outcome.KNOWN_ISSUE, issue=issue.url)
    certificate = certified(a_profile(supported=["boot.ready"], issues=[issue]), outcome)
    assert certificate.status is Status.CERTIFIED_WITH_EXCEPTIONS
    (exception,) = certificate.exceptions
    assert (exception.feature, exception.reason) == ("boot.ready", "issue 7")
    assert (exception.owner, exception.url) == (issue.owner, issue.url)
    assert exception.expires == issue.expires


def test_a_known_issue_met_twice_is_one_exception() -> None:
    issue = a_known_issue("boot.ready", 7)
    met = an_outcome(Outcome.KNOWN_ISSUE, issue=issue.url)
    certificate = certified(a_profile(supported=["boot.ready"], issues=[issue]), met, met)
    assert len(certificate.exceptions) == 1


def test_a_known_issue_that_was_not_met_is_no_exception() -> None:
    profile = a_profile(supported=["boot.ready"], issues=[a_known_issue()])
    certificate = certified(profile, an_outcome())
    assert (certificate.status, certificate.exceptions) == (Status.CERTIFIED, ())


def test_a_known_issue_is_not_taken_for_one_whose_address_begins_alike() -> None:
    issues = [a_known_issue(number=7), a_known_issue(number=77)]
    met = an_outcome(Outcome.KNOWN_ISSUE, issue=issues[1].url)
    certificate = certified(a_profile(supported=["boot.ready"], issues=issues), met)
    assert [exception.reason for exception in certificate.exceptions] == ["issue 77"]


def test_each_guest_has_its_own_certificate() -> None:
    guests = [(a_profile(g, supported=["boot.ready"]), (BIOS,)) for g in ("debian-12", "rhel-9")]
    outcomes = [an_outcome(), an_outcome(Outcome.FAILED, guest="rhel-9")]
    verdicts = judge(outcomes, guests, [a_feature("boot.ready")], URI, QEMU, STANDARD)
    certificates = certify(verdicts, outcomes, guests, {"rhel-9": "sha256:9"}, Tier.FULL)
    assert [(c.guest, c.status, c.image) for c in certificates] == [
        ("debian-12", Status.CERTIFIED, ""),
        ("rhel-9", Status.NOT_CERTIFIED, "sha256:9"),
    ]
