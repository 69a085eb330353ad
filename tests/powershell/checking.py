"""Holds the calls of a script against the documentation of what it calls."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tree_sitter import Node

from tests.powershell.cmdlets import Cmdlet, cmdlets
from tests.powershell.syntax import Argument, Call, Parameter, Script

COMMON = {"ErrorAction", "ErrorVariable", "WarningAction", "Verbose"}
"""Parameters that every cmdlet has."""

PASSING = {"where-object", "sort-object", "select-object"}
"""What puts out objects of the type that it took in."""

OUTPUTS = {
    "get-vm": "VirtualMachine",
    "get-vmdvddrive": "DvdDrive",
    "import-vm": "VirtualMachine",
    "new-vm": "VirtualMachine",
    "get-vmintegrationservice": "VMIntegrationComponent",
}
"""Types of what Hyper-V's cmdlets put out, where the noun is not the type."""

NUMBERS = {"Int16", "Int32", "Int64", "UInt16", "UInt32", "UInt64"}


def problems(script: Script, version: str) -> list[str]:
    """Everything that is wrong with a script by one version's documentation."""
    found = [f"{where}: not understood" for where in script.errors]
    known = cmdlets(version)
    for call in script.calls:
        cmdlet = known.get(call.name.lower())
        if call.name in script.functions:
            cmdlet = _as_cmdlet(call.name, script.functions[call.name])
        if cmdlet is None:
            found.append(f"{call}: unknown cmdlet")
        else:
            found += [f"{call}: {wrong}" for wrong in _wrong(script, call, cmdlet)]
    return found


def _as_cmdlet(name: str, parameters: list[Parameter]) -> Cmdlet:
    return Cmdlet(name, {"": {p.name: f"*{p.type}" for p in parameters}}, {})


def _wrong(script: Script, call: Call, cmdlet: Cmdlet) -> Iterator[str]:
    given, unresolved = _given(script, call)
    yield from unresolved
    documented = {p.lower(): (p, t) for s in cmdlet.sets.values() for p, t in s.items()}
    own = {name: value for name, value in given.items() if name not in COMMON}
    for name, value in own.items():
        if name.lower() not in documented:
            yield f"-{name} is not a parameter"
        else:
            true_name, kind = documented[name.lower()]
            yield from _wrong_value(script, cmdlet, true_name, kind.lstrip("*"), value)
    if len(call.positional) > len(cmdlet.positional):
        yield f"{call.positional[-1].text[:40]} has no parameter's name"
    placed = cmdlet.positional[: len(call.positional)]
    yield from _wrong_sets(script, call, cmdlet, {name.lower() for name in (*own, *placed)})


def _given(script: Script, call: Call) -> tuple[dict[str, Argument | None], list[str]]:
    """What a call is given by name, with the entries of splatted hash literals."""
    given = dict(call.parameters)
    unresolved = []
    for splat in call.splats:
        assigned = script.assigned(splat)
        if len(assigned) == 1:
            given.update(script.hash_entries(assigned[0]))
        else:
            unresolved.append(f"@{splat} is not a hash literal that is assigned once")
    return given, unresolved


def _wrong_value(
    script: Script, cmdlet: Cmdlet, name: str, kind: str, value: Argument | None
) -> Iterator[str]:
    is_switch = kind.lower() in ("switch", "switchparameter")
    if value is None:
        if not is_switch:
            yield f"-{name} has no value"
        return
    if is_switch and not value.attached:
        yield f"-{name} is a switch, and {value.text} has no parameter's name"
    allowed = [v.lower() for v in cmdlet.values.get(name, [])]
    if allowed:
        values = _values(script, value)
        if values is None:
            yield f"-{name} takes one of {', '.join(allowed)}, and {value.text} may be anything"
        for wrong in [v for v in values or () if v.lower() not in allowed]:
            yield f"-{name} can't be {wrong}"
    if kind == "Boolean" and value.literals:
        yield f"-{name} takes $true or $false, and not {value.text}"
    if kind in NUMBERS and any(not re.fullmatch(r"-?\d+", v) for v in value.literals):
        yield f"-{name} takes a number, and not {value.text}"


def _values(script: Script, value: Argument) -> tuple[str, ...] | None:
    """The values that an argument may have; None where nothing limits them."""
    if value.literals:
        return value.literals
    for parameter in script.parameters:
        if value.variable and parameter.name.lower() == value.variable.lower():
            return parameter.values or None
    return None


def _wrong_sets(script: Script, call: Call, cmdlet: Cmdlet, given: set[str]) -> Iterator[str]:
    """One parameter set must hold all that is given, and miss nothing that is mandatory."""
    taken = _piped_type(script, call.before) if call.before is not None else None
    missing_in: list[list[str]] = []
    for parameters in cmdlet.sets.values():
        names = {name.lower() for name in parameters}
        if not given <= names:
            continue
        missing = [
            name
            for name, kind in parameters.items()
            if kind.startswith("*") and name.lower() not in given
        ]
        if call.before is not None:
            missing = _without_piped(missing, parameters, cmdlet, taken)
        if not missing:
            return
        missing_in.append(missing)
    if not missing_in:
        if all(any(g in {n.lower() for n in s} for s in cmdlet.sets.values()) for g in given):
            yield "no parameter set holds all of " + ", ".join(sorted(given))
        return
    least = sorted(missing_in, key=len)[0]
    yield "the mandatory -" + ", -".join(least) + " is missing"


def _without_piped(
    missing: list[str], parameters: dict[str, str], cmdlet: Cmdlet, taken: str | None
) -> list[str]:
    """What is still missing when the pipeline binds the one parameter that fits its objects."""
    for name in missing:
        kind = parameters[name].lstrip("*").removesuffix("[]")
        if name in cmdlet.pipeline or (taken and kind in (taken, f"{taken}Base")):
            return [other for other in missing if other != name]
    return missing


def _piped_type(script: Script, before: Node) -> str | None:
    """The type of the objects that come through a pipeline from what stands before."""
    if before.type != "command":
        name = script.text(before).strip().lstrip("$")
        sources = [script.last_command(node) for node in script.assigned(name)]
        return _piped_type(script, sources[0]) if sources and sources[0] else None
    command = script.text(before.children[0]).lower()
    if command in PASSING:
        chain = before.parent
        named = [child for child in chain.children if child.is_named] if chain else []
        place = next((i for i, child in enumerate(named) if child.id == before.id), 0)
        return _piped_type(script, named[place - 1]) if place else None
    if command in OUTPUTS:
        return OUTPUTS[command]
    documented = cmdlets("2025").get(command)
    return documented.name.partition("-")[2] if documented else None
