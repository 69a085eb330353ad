"""Escapes values for each answer file format, and refuses values that a format cannot hold."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from enum import StrEnum
from xml.sax.saxutils import escape

from jinja2 import Undefined

from harness.errors import UsageError

CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")

NOT_IN_YAML = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
"""Characters that JSON allows unescaped, but that YAML refuses or reads as a line break."""


class AnswerFormat(StrEnum):
    """The formats of answer files and scripts."""

    PRESEED = "preseed"  # one value a line
    KICKSTART = "kickstart"  # lines are split like a shell's
    SHELL = "shell"
    JSON = "json"  # also YAML, a superset
    XML = "xml"
    INI = "ini"  # winnt.sif, with the rules of INF files
    BATCH = "batch"  # cmd.exe


class Verbatim(str):
    """Text in the template's format, which is not escaped again."""


def for_format(format: AnswerFormat) -> Callable[[object], str]:
    """The escaping function for every value that a template of that format prints."""
    write = WRITERS[format]

    def finalize(value: object) -> str:
        if isinstance(value, Verbatim):
            return value
        if isinstance(value, Undefined):
            return str(value)  # raises, with the undefined name
        if not isinstance(value, str | int):
            raise TypeError(f"a template prints a {type(value).__name__}")
        return write(value if isinstance(value, str) else str(value))

    return finalize


def _refuse(value: str, pattern: str, what: str) -> None:
    """Raise UsageError with the unfit character only, as the value may be a secret."""
    found = re.search(pattern, value)
    if found:
        raise UsageError(
            f"{what} cannot hold a value with {found.group()!r}",
            remedy="remove its line breaks, control characters, and blanks at its ends",
        )


def _preseed(value: str) -> str:
    # A backslash at the end would continue the line.
    _refuse(value, r"[\x00-\x1f]|\\$|^\s|\s$", "a line of a preseed file")
    return value


def _kickstart(value: str) -> str:
    _refuse(value, r"[\x00-\x1f]", "a line of a kickstart file")
    return shlex.quote(value)


def _shell(value: str) -> str:
    _refuse(value, r"\x00", "a shell script")
    return shlex.quote(value)


def _json(value: str) -> str:
    _refuse(value, "[\ud800-\udfff]", "a YAML or JSON document")
    # JSON writes U+10000 and above as two escapes, which YAML reads as two characters.
    text = json.dumps(value, ensure_ascii=False)
    return NOT_IN_YAML.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _xml(value: str) -> str:
    _refuse(value, CONTROL.pattern, "an XML document")
    # As references, since a parser normalizes the characters to spaces.
    entities = {'"': "&quot;", "'": "&apos;", "\n": "&#10;", "\r": "&#13;", "\t": "&#9;"}
    return escape(value, entities)


def _ini(value: str) -> str:
    _refuse(value, r"[\x00-\x1f]", "a line of winnt.sif")
    # Quotes are doubled; so is the percent sign, which starts the name of a string.
    return '"' + value.replace('"', '""').replace("%", "%%") + '"'


def _batch(value: str) -> str:
    _refuse(value, r"[^A-Za-z0-9._:/\\@ -]", "a batch file")
    return value


WRITERS: dict[AnswerFormat, Callable[[str], str]] = {
    AnswerFormat.PRESEED: _preseed,
    AnswerFormat.KICKSTART: _kickstart,
    AnswerFormat.SHELL: _shell,
    AnswerFormat.JSON: _json,
    AnswerFormat.XML: _xml,
    AnswerFormat.INI: _ini,
    AnswerFormat.BATCH: _batch,
}
