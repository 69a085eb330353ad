"""Cmdlets as documented: parameter sets, mandatory parameters, enumerations.

Run `python -m tests.powershell.cmdlets FULL` to make the reduced copy of the Hyper-V module's
documentation again, after a script calls another of its cmdlets.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

DATA = Path(__file__).parents[1] / "data"
HYPERV = DATA / "hyperv-cmdlets.json"
OTHERS = DATA / "powershell-cmdlets.json"
SCRIPTS = Path(__file__).parents[2] / "harness" / "hypervisors" / "hyperv" / "scripts"

VERSIONS = ("2016", "2019", "2022", "2025")
"""Of Windows Server, whose modules are documented apart."""

SOURCE = (
    "Reduced from MicrosoftDocs/windows-powershell-docs, (c) Microsoft and contributors, CC BY 4.0 "
    "(https://creativecommons.org/licenses/by/4.0/): cmdlets that scripts of this project call, "
    "in one entry where versions agree; '*' marks a mandatory parameter."
)

Sets = dict[str, dict[str, str]]


@dataclass(frozen=True)
class Cmdlet:
    """One cmdlet in one version; a type that begins with `*` is a mandatory parameter's."""

    name: str
    sets: Sets
    values: dict[str, list[str]]
    pipeline: tuple[str, ...] = ()  # what a pipeline binds beside objects of a parameter's type
    positional: tuple[str, ...] = ()  # parameters whose names the scripts may omit


@cache
def cmdlets(version: str) -> dict[str, Cmdlet]:
    """Every known cmdlet of one version, by its name in lower case."""
    known = {}
    for name, entries in json.loads(HYPERV.read_text(encoding="utf-8"))["cmdlets"].items():
        for entry in entries:
            if version in entry["versions"]:
                known[name.lower()] = Cmdlet(name, entry["sets"], entry.get("values", {}))
    for name, entry in json.loads(OTHERS.read_text(encoding="utf-8"))["cmdlets"].items():
        known[name.lower()] = Cmdlet(
            name,
            entry["sets"],
            entry.get("values", {}),
            tuple(entry.get("pipeline", ())),
            tuple(entry.get("positional", ())),
        )
    return known


def reduced(full: dict[str, Any], wanted: set[str]) -> dict[str, Any]:
    """The documentation of the wanted cmdlets alone."""
    kept: dict[str, list[dict[str, Any]]] = {}
    for version in VERSIONS:
        for name, entry in full[version].items():
            if name.lower() in wanted:
                _merge(kept.setdefault(name, []), version, entry)
    return {"source": SOURCE, "cmdlets": dict(sorted(kept.items()))}


def _merge(entries: list[dict[str, Any]], version: str, entry: dict[str, Any]) -> None:
    sets = {
        name: {p: ("*" if d["mandatory"] else "") + d["type"] for p, d in parameters.items()}
        for name, parameters in entry["sets"].items()
    }
    values = entry.get("values") or {}
    for known in entries:
        if (known["sets"], known["values"]) == (sets, values):
            known["versions"].append(version)
            return
    entries.append({"versions": [version], "sets": sets, "values": values})


def main() -> None:
    """Write the reduced copy."""
    from tests.powershell.syntax import Script  # noqa: PLC0415 - only here

    texts = [file.read_text(encoding="utf-8") for file in SCRIPTS.glob("*.ps1")]
    wanted = {call.name.lower() for text in texts for call in Script(text).calls}
    full = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    document = json.dumps(reduced(full, wanted), indent=None, separators=(",", ":"))
    HYPERV.write_text(document.replace('}]},"', '}]},\n"').replace('}],"', '}],\n"') + "\n")


if __name__ == "__main__":
    main()
