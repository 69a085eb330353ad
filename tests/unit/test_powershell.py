"""The PowerShell scripts that are run in guests: sound by their grammar, and no value in them."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import tree_sitter
import tree_sitter_powershell

from harness.guests.windows.powershell import SCRIPTS, WITHOUT_JSON, command, encoded
from harness.workloads.program import FOLDER

PROGRAMS = sorted(FOLDER.glob("*.ps1"))

FILES = sorted([*SCRIPTS.glob("*.ps1"), *PROGRAMS])

PARSER = tree_sitter.Parser(tree_sitter.Language(tree_sitter_powershell.language()))

INTERPOLATED = {"expandable_string_literal", "expandable_here_string_literal", "sub_expression"}

LONGEST = 32_000
"""Characters of a command line of Windows (CreateProcess allows 32767)."""

NEVER = {
    "wmic",
    "wmic.exe",
    "invoke-expression",
    "iex",
    "invoke-wmimethod",
    "cmd.exe",
    "cmd",
    "invoke-command",
}

OLDEST = "prelude"
"""The one script that may use what PowerShell 2.0 has instead of CIM's cmdlets."""


def nodes(text: str) -> Iterator[tree_sitter.Node]:
    """All nodes of a script's syntax."""
    todo = [PARSER.parse(text.encode()).root_node]
    while todo:
        node = todo.pop()
        yield node
        todo += node.children


def faults(text: str) -> list[str]:
    """The problems of a script, by its grammar and by the project's rules."""
    found = []
    for node in nodes(text):
        source_text = (node.text or b"").decode()
        if node.type == "ERROR" or node.is_missing:
            found.append(f"no PowerShell: {source_text[:40]}")
        if node.type in INTERPOLATED:
            found.append(f"interpolated: {source_text[:40]}")
        if node.type == "command_name" and source_text.lower() in NEVER:
            found.append(f"never: {source_text}")
    return found


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("if (", "no PowerShell"),
        ('Write-Output "a $name"', "interpolated"),
        ('Write-Output "a $($name.x)"', "interpolated"),
        ('@"\na $name\n"@', "interpolated"),
        ("wmic os get name", "never: wmic"),
        ("Invoke-Expression $given[0]", "never"),
        ("Get-X | iex", "never"),
    ],
)
def test_a_fault_would_be_seen(text: str, fault: str) -> None:
    # The control: what finds nothing in anything proves nothing.
    assert any(found.startswith(fault) for found in faults(text)), faults(text)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_script_is_sound(file: Path) -> None:
    text = file.read_text(encoding="ascii")
    assert faults(text) == []
    assert text.startswith("# "), "it has no comment at its head"
    assert max(map(len, text.splitlines())) <= 100


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_only_for_powershell_2_is_anything_but_cim_asked(file: Path) -> None:
    text = file.read_text(encoding="ascii")
    names = [(node.text or b"").decode() for node in nodes(text) if node.type == "command_name"]
    assert ("Get-WmiObject" in names) == (file.stem == OLDEST)
    assert not re.search(r"\[wmi\w*\]|ManagementObjectSearcher|New-WebService", text, re.IGNORECASE)


@pytest.mark.parametrize(
    "script",
    [file.stem for file in FILES if file not in PROGRAMS and file.stem != OLDEST],
    ids=lambda name: name,
)
def test_what_is_run_is_sound_and_no_longer_than_a_command_line(script: str) -> None:
    arguments = command(script)
    assert sum(len(argument) + 3 for argument in arguments) < LONGEST
    text = base64.b64decode(arguments[-1]).decode("utf-16-le")
    assert faults(text) == []
    assert ("Write-Answer {" in text) == (script not in WITHOUT_JSON)
    # A background script is passed as a value: it must fit on a command line too.
    assert len(encoded((SCRIPTS / f"{script}.ps1").read_text(encoding="ascii"))) < LONGEST


def test_every_script_is_used_and_none_is_missing() -> None:
    modules = "".join(file.read_text(encoding="utf-8") for file in SCRIPTS.parents[1].rglob("*.py"))
    scripts = [file.stem for file in FILES if file not in PROGRAMS]
    unused = [script for script in scripts if f'"{script}"' not in modules]
    assert unused == []
    asked = re.findall(r"self\.(?:ask|start_script|program)\(\s*\"(\w+)\"", modules)
    assert len(asked) > 30, "the control: they are found"
    assert set(asked) <= set(scripts)
