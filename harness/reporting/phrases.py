"""The wording of verdicts and certificates in all reports."""

from __future__ import annotations

from harness.results.model import CertificateRecord, Scope, Untested, VerdictRecord

LATER = (Untested.LATER_TIER, Untested.PLANNED)
"""Reasons for untested: no run of this tier tests the feature."""


def verdict_word(verdict: VerdictRecord) -> str:
    """A verdict as a table's cell; for an untested one, where or when it is tested."""
    match verdict.untested:
        case Untested.OTHER_VARIANT:
            return f"on {', '.join(verdict.tested_on)}"
        case Untested.LATER_TIER:
            return f"tier {verdict.tier}"
        case Untested.PLANNED:
            return "no case yet"
    return str(verdict.verdict)


def status_word(certificate: CertificateRecord) -> str:
    """A certificate's status for people."""
    return str(certificate.status).replace("-", " ")


def scope_words(scope: Scope) -> str:
    """A certificate's scope in one line."""
    variants = "variant" if len(scope.variants) == 1 else "variants"
    return (
        f"tier {scope.tier}: {scope.verified} of {scope.required} required features verified; "
        f"{variants} {', '.join(scope.variants)}"
    )


def headline(certificate: CertificateRecord) -> str:
    """A certificate's status with its scope."""
    scope = f" ({scope_words(certificate.scope)})" if certificate.scope else ""
    return status_word(certificate) + scope
