"""Upgrades the documents of older versions of run.json to the present schema."""

from __future__ import annotations

import re
from typing import Any

from harness.results.model import SCHEMA, Completion, HostFacts, case_id
from harness.results.outcomes import Outcome

VERSION_1 = "guestcert/run/1"

INTERRUPTED = re.compile(r"(^|; )interrupted \(\w+\)$")
"""The end of the selection of an interrupted run, in records of guestcert 0.1."""


def upgraded(document: Any) -> Any:
    """A document in the present schema; one that is not a known older version is unchanged."""
    if not isinstance(document, dict) or document.get("schema") != VERSION_1:
        return document
    outcomes = [_outcome(outcome, document) for outcome in document.get("outcomes", ())]
    return (
        document
        | _completion(document)
        | {
            "schema": SCHEMA,
            "outcomes": outcomes,
            "environment": _environment(document.get("environment")),
        }
    )


def _completion(document: dict[str, Any]) -> dict[str, Any]:
    selection = document.get("selection")
    if "completion" in document or not isinstance(selection, str):
        return {}
    if not INTERRUPTED.search(selection):
        return {}
    return {"selection": INTERRUPTED.sub("", selection), "completion": Completion.INTERRUPTED}


def _outcome(outcome: Any, document: dict[str, Any]) -> Any:
    """An outcome with what version 1 stated in its reason, or by a missing feature."""
    if not isinstance(outcome, dict):
        return outcome
    feature, case = str(outcome.get("feature")), str(outcome.get("case"))
    lost = outcome.get("outcome") == Outcome.BROKEN and not outcome.get("feature")
    return outcome | {
        "id": case_id(feature, case),
        "issue": _issue(outcome, document),
        "worker_lost": lost,
    }


def _issue(outcome: dict[str, Any], document: dict[str, Any]) -> str:
    """The address of a known issue, which is listed in the certificate and quoted in the reason."""
    if outcome.get("outcome") != Outcome.KNOWN_ISSUE:
        return ""
    for certificate in document.get("certificates", ()):
        for exception in certificate.get("exceptions", ()):
            url = exception.get("url", "")
            if url and f"({url})" in outcome.get("reason", ""):
                return str(url)
    return ""


def _environment(environment: Any) -> Any:
    """An environment without host facts that are not known today."""
    if not isinstance(environment, dict):
        return environment
    host = environment.get("host", {})
    known = {name: value for name, value in host.items() if name in HostFacts.model_fields}
    return environment | {"host": known}
