"""How verdicts and certificates are worded, wherever they are shown."""

from __future__ import annotations

from harness.results.model import CertificateRecord, Scope, Untested, VerdictRecord

LATER = (Untested.LATER_TIER, Untested.PLANNED)
"""Of what is untested: what no run of this tier tests."""


def verdict_word(verdict: VerdictRecord) -> str:
    """A verdict as a table's cell: where it is untested, where or when it is tested instead."""
    match verdict.untested:
        case Untested.OTHER_VARIANT:
            return f"on {', '.join(verdict.tested_on)}"
        case Untested.LATER_TIER:
            return f"tier {verdict.tier}"
        case Untested.PLANNED:
            return "no case yet"
    return str(verdict.verdict)


def status_word(certificate: CertificateRecord) -> str:
    """A certificate's status in plain words."""
    return str(certificate.status).replace("-", " ")


def scope_words(scope: Scope) -> str:
    """What a certificate covers, in one line."""
    variants = "variant" if len(scope.variants) == 1 else "variants"
    return (
        f"tier {scope.tier}: {scope.verified} of {scope.required} required features verified; "
        f"{variants} {', '.join(scope.variants)}"
    )


def headline(certificate: CertificateRecord) -> str:
    """A certificate's status with its scope."""
    scope = f" ({scope_words(certificate.scope)})" if certificate.scope else ""
    return status_word(certificate) + scope
