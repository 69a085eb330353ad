"""How a value is written in each format of answer files, and what a format can not hold."""

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
"""What JSON may hold as it is, and YAML takes for a line break or refuses."""


class Format(StrEnum):
    """The formats of answer files and scripts."""

    PRESEED = "preseed"  # a line is a value
    KICKSTART = "kickstart"  # a line is split as a shell does
    SHELL = "shell"
    JSON = "json"  # YAML too, of which JSON is a part
    XML = "xml"
    INI = "ini"  # winnt.sif, by the rules of INF files
    BATCH = "batch"  # cmd.exe


class Verbatim(str):
    """Text that a template has made for its own format: it is not escaped again."""


def for_format(format: Format) -> Callable[[object], str]:
    """The function through which every value goes that a template of that format prints."""
    write = WRITERS[format]

    def finalize(value: object) -> str:
        if isinstance(value, Verbatim):
            return value
        if isinstance(value, Undefined):
            return str(value)  # raises, and names what is not there
        if not isinstance(value, str | int):
            raise TypeError(f"a template prints a {type(value).__name__}")
        return write(value if isinstance(value, str) else str(value))

    return finalize


def _refuse(value: str, pattern: str, what: str) -> None:
    """Raise UsageError with the sign that does not fit, and no more: the value may be a secret."""
    found = re.search(pattern, value)
    if found:
        raise UsageError(
            f"{what} can not hold a value with {found.group()!r} there",
            remedy="take line breaks and control characters out of it, and blanks at its ends",
        )


def _preseed(value: str) -> str:
    # A backslash at the end would draw the next line in.
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
    # As references, since a parser would make the characters themselves spaces.
    entities = {'"': "&quot;", "'": "&apos;", "\n": "&#10;", "\r": "&#13;", "\t": "&#9;"}
    return escape(value, entities)


def _ini(value: str) -> str:
    _refuse(value, r"[\x00-\x1f]", "a line of winnt.sif")
    # Quotes are doubled, and so is the percent sign, which begins a string's name.
    return '"' + value.replace('"', '""').replace("%", "%%") + '"'


def _batch(value: str) -> str:
    _refuse(value, r"[^A-Za-z0-9._:/\\@ -]", "a batch file")
    return value


WRITERS: dict[Format, Callable[[str], str]] = {
    Format.PRESEED: _preseed,
    Format.KICKSTART: _kickstart,
    Format.SHELL: _shell,
    Format.JSON: _json,
    Format.XML: _xml,
    Format.INI: _ini,
    Format.BATCH: _batch,
}
