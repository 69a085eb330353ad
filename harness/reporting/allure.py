"""Allure's environment, and its categories by whose fault a failure is."""

from __future__ import annotations

import json
from pathlib import Path

from harness.reporting.phrases import headline
from harness.results.model import RunRecord
from harness.results.store import write_text
from harness.text import sanitize

BLOCKED = "Skipped: blocked: "
"""The start of a blocked case's message: pytest's prefix and the plugin's."""

CATEGORIES = (
    ("Promises that guests broke", ["failed"], "(?s).*"),
    ("Trouble of the harness or the lab", ["broken"], f"(?s)(?!{BLOCKED}).*"),
    ("Blocked by another failure", ["broken"], f"(?s){BLOCKED}.*"),
    ("Not applicable here", ["skipped"], "(?s).*not applicable: .*"),
)


def write_allure_extras(run: RunRecord, folder: Path) -> None:
    """Write environment.properties and categories.json into the folder of Allure's results."""
    environment = run.environment
    facts = {
        "guestcert": environment.harness,
        "hypervisor": f"{environment.hypervisor} {environment.hypervisor_version}",
        "hypervisor.uri": environment.hypervisor_uri,
        "accelerator": environment.accelerator,
        **{f"host.{name}": value for name, value in environment.host.facts().items()},
    }
    for guest, known in environment.guests.items():
        facts |= {f"{guest}.{name}": value for name, value in known.facts().items()}
    for certificate in run.certificates:
        facts[f"{certificate.guest}.certificate"] = headline(certificate)
    lines = [f"{name}={_escaped(value)}" for name, value in facts.items()]
    write_text(folder / "environment.properties", "\n".join(lines) + "\n")
    categories = [
        {"name": name, "matchedStatuses": statuses, "messageRegex": pattern}
        for name, statuses, pattern in CATEGORIES
    ]
    write_text(folder / "categories.json", json.dumps(categories, indent=1) + "\n")


def _escaped(value: str) -> str:
    """A value in the form of Java's property files: ASCII, backslashes doubled, one line."""
    text = sanitize(value).replace("\\", "\\\\").replace("\n", " ")
    units = text.encode("utf-16-be")
    codes = [int.from_bytes(units[i : i + 2], "big") for i in range(0, len(units), 2)]
    return "".join(chr(code) if code < 0x80 else f"\\u{code:04x}" for code in codes)
