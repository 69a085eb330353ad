"""The certificate of one guest as a self-contained document."""

from __future__ import annotations

import hashlib
import json

from harness.results.model import CertificateRecord, RunRecord
from harness.results.store import RunDirectory, write_text

SCHEMA = "guestcert/certificate/1"


def write_certificates(run: RunRecord, directory: RunDirectory) -> None:
    """Write a file for each guest of the run."""
    for certificate in run.certificates:
        document = json.dumps(certificate_document(run, certificate), indent=1)
        write_text(directory.certificate(certificate.guest), document + "\n")


def certificate_document(run: RunRecord, certificate: CertificateRecord) -> dict[str, object]:
    """The certificate with its basis: verdicts, environment, a digest of the outcomes."""
    guest = certificate.guest
    outcomes = [o.model_dump(mode="json") for o in run.outcomes if o.guest == guest]
    text = json.dumps(outcomes, sort_keys=True)
    return {
        "schema": SCHEMA,
        "run": run.run,
        "finished": run.finished.isoformat(),
        **certificate.model_dump(mode="json"),
        "selection": run.selection,
        "completion": str(run.completion),
        "tier": str(run.tier),
        "environment": run.environment.model_dump(mode="json"),
        "verdicts": [v.model_dump(mode="json") for v in run.verdicts if v.guest == guest],
        "outcomes": len(outcomes),
        "outcomes_sha256": hashlib.sha256(text.encode()).hexdigest(),
    }
