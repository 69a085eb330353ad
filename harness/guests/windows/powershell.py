"""PowerShell scripts in a Windows guest; values are passed on standard input, never as text.

A script's text is passed on the command line, encoded, and never contains a value. Its answer is
one line of JSON, which is read as all output of an untrusted guest is: bounded, and by its types.
"""

from __future__ import annotations

import base64
import json
from functools import cache
from pathlib import Path

from harness.channels.base import CommandResult
from harness.errors import ChannelError, NotApplicable
from harness.guests.answers import Fields, entries
from harness.guests.program import Program
from harness.guests.runner import Runner

SCRIPTS = Path(__file__).with_name("scripts")

ANSWER_LIMIT = 8 * 1024 * 1024
"""Bytes of an answer; the longest true one, a log of 2000 entries, is a fraction of it."""

OLDEST = (6, 1)
"""The first kernel that came with PowerShell 2.0: of Windows 7 and Server 2008 R2."""

CIM = r"root\cimv2"


class WindowsShell:
    """Runs scripts and programs in the guest as its administrator.

    `kernel` is the version of Windows NT by the profile, None for one that is not known.
    """

    def __init__(self, run: Runner, kernel: tuple[int, int] | None = None) -> None:
        self._run = run
        self._kernel = kernel

    def ask(self, script: str, *values: str, seconds: float = 60) -> object:
        """The answer of a script, which finds `values` in $given.

        Raises ChannelError where it fails or answers something else, NotApplicable where this
        Windows is too old for it.
        """
        program = self.program(script, *values)
        result = self._run(program.arguments, stdin=program.stdin, seconds=seconds)
        return _answer(script, result)

    def start_script(self, script: str, *values: str) -> None:
        """Start a script in the background; it finds `values` in its environment."""
        self.detach(script_text(script), "", *values)

    def detach(self, text: str, output: str, *values: str) -> object:
        """Start this text of a script in the background; returns its process id.

        It finds the path of its output and `values` in its environment.
        """
        return self.ask("detach", encoded(text), output, *values)

    def program(self, script: str, *values: str) -> Program:
        """A script with the arguments and the input to run it."""
        if self._kernel is not None and self._kernel < OLDEST:
            raise NotApplicable("Windows before 7 and Server 2008 R2 has no PowerShell 2.0")
        return Program(command(script), _lines(values))

    def instances(
        self, class_name: str, *properties: str, where: str = "", namespace: str = CIM
    ) -> list[Fields]:
        """These properties of all instances of a CIM class."""
        asked = self.ask("instances", namespace, class_name, where, *properties)
        return entries(asked, class_name)

    def instance(self, class_name: str, *properties: str, namespace: str = CIM) -> Fields:
        """These properties of the first instance; raises ChannelError where there is none."""
        found = self.instances(class_name, *properties, namespace=namespace)
        if not found:
            raise ChannelError(f"the guest has no instance of {class_name}")
        return found[0]

    def do(self, *arguments: str) -> None:
        """Run a program that must exit with 0."""
        result = self._run(arguments)
        if result.exit_status != 0:
            output = result.error_text or result.text
            raise ChannelError(
                f"`{' '.join(arguments)}` in the guest ended with {result.exit_status}: "
                f"{output[-300:]!r}"
            )


@cache
def command(script: str) -> tuple[str, ...]:
    """The program that runs a script, and prints its result."""
    text = script_text("prelude") + "\n" + script_text(script)
    if script not in WITHOUT_JSON:
        text = f"{script_text('prelude')}\nWrite-Answer {{\n{script_text(script)}\n}}\n"
    return ("powershell.exe", "-NoProfile", "-NonInteractive", "-EncodedCommand", encoded(text))


WITHOUT_JSON = frozenset({"recent", "saying", "mebibyte"})
"""Scripts that write their output themselves, and not in JSON."""


def encoded(text: str) -> str:
    """A script, encoded for PowerShell's command line."""
    return base64.b64encode(text.encode("utf-16-le")).decode()


@cache
def script_text(script: str) -> str:
    """A script's text, without its comments."""
    return without_comments((SCRIPTS / f"{script}.ps1").read_text(encoding="ascii"))


def without_comments(text: str) -> str:
    """A script without its lines of comments, which the guest does not need."""
    return "\n".join(line for line in text.splitlines() if not line.startswith("#"))


def _lines(values: tuple[str, ...]) -> bytes:
    return b"".join(b":" + base64.b64encode(value.encode()) + b"\r\n" for value in values)


def _answer(script: str, result: CommandResult) -> object:
    if len(result.output) > ANSWER_LIMIT:
        raise ChannelError(
            f"the guest's answer to {script}.ps1 has {len(result.output)} bytes, "
            f"more than {ANSWER_LIMIT} are not read"
        )
    try:
        document = json.loads(result.output, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        output = result.text or result.error_text
        raise ChannelError(
            f"{script}.ps1 in the guest ended with {result.exit_status} and answered no JSON: "
            f"{output[-300:]!r}"
        ) from error
    if not isinstance(document, dict):
        output = result.text
        raise ChannelError(f"the guest's answer to {script}.ps1 is not an object: {output[:80]!r}")
    if document.get("lacks"):
        raise NotApplicable(f"this Windows is too old: {str(document['lacks'])[:200]}")
    if "answer" not in document or result.exit_status != 0:
        raise ChannelError(f"{script}.ps1 failed in the guest: {str(document.get('error'))[:300]}")
    return document["answer"]


def _refuse(constant: str) -> object:
    raise ValueError(f"{constant} is not a number")
