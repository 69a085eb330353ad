"""Binding of arguments to a script's param block, as in PowerShell."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from pypsrp.complex_objects import PSCredential

from tests.fakes.hyperv_host.errors import bad_parameter
from tests.powershell.cmdlets import SCRIPTS
from tests.powershell.syntax import Parameter, Script

TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "string[]": list,
    "int": int,
    "long": int,
    "bool": bool,
    "pscredential": PSCredential,
}
ABSENT: dict[str, object] = {
    "string": "",
    "int": 0,
    "long": 0,
    "bool": False,
    "string[]": [],
    "pscredential": None,
}


@cache
def scripts() -> dict[str, str]:
    """The names of all scripts of the project, by their text."""
    return {file.read_text(encoding="utf-8"): file.stem for file in SCRIPTS.glob("*.ps1")}


@cache
def _parameters(name: str) -> tuple[Parameter, ...]:
    text = (SCRIPTS / f"{name}.ps1").read_text(encoding="utf-8")
    return tuple(Script(text).parameters)


def bound(name: str, given: Mapping[str, object]) -> dict[str, Any]:
    """All parameters of the script with their values; raises HostError as PowerShell does."""
    declared = {parameter.name: parameter for parameter in _parameters(name)}
    for unknown in set(given) - set(declared):
        raise bad_parameter(f"A parameter cannot be found that matches parameter name '{unknown}'.")
    values: dict[str, Any] = {}
    for parameter in declared.values():
        if parameter.name not in given and parameter.mandatory:
            raise bad_parameter(f"Missing the mandatory parameter: {parameter.name}.")
        values[parameter.name] = given.get(parameter.name, ABSENT[parameter.type])
        if parameter.name in given:
            _check(parameter, given[parameter.name])
    return values


def _check(parameter: Parameter, value: object) -> None:
    is_number = parameter.type in ("int", "long") and isinstance(value, bool)
    if not isinstance(value, TYPES[parameter.type]) or is_number:
        raise bad_parameter(f"Cannot convert the value of '{parameter.name}' to {parameter.type}.")
    if parameter.type == "int" and isinstance(value, int) and abs(value) >= 2**31:
        raise bad_parameter(f"The value of '{parameter.name}' is too large for an Int32.")
    if value == "" and parameter.mandatory and not parameter.may_be_empty:
        raise bad_parameter(f"Cannot bind '{parameter.name}' because it is an empty string.")
    values = value if isinstance(value, list) else [value]
    for each in values if parameter.values else []:
        if str(each) not in parameter.values:
            raise bad_parameter(f"'{each}' is not in the ValidateSet of '{parameter.name}'.")
