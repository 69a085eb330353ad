"""Renders a profile with inherited values as YAML, with the source position of each value."""

from __future__ import annotations

import json
from pathlib import Path

from harness.profiles.model import Profile
from harness.profiles.source_map import Located

MARGIN = 60
"""The minimum column of the source positions."""


def shown(located: Located, folder: Path) -> str:
    """The profile as YAML; comments name each value's file, relative to `folder`, and line."""
    fields = located.fields()
    known = [name for name in Profile.model_fields if name in fields]
    ordered = located.replaced({name: fields[name] for name in known})
    lines = [
        f"{text:<{MARGIN}}  # {value.file.relative_to(folder)}:{value.line}" if value else text
        for text, value in _lines(ordered, 0)
    ]
    return "\n".join(lines) + "\n"


def _lines(located: Located, depth: int) -> list[tuple[str, Located | None]]:
    """Each line of the YAML, with the value whose position it shows."""
    indent = "  " * depth
    lines: list[tuple[str, Located | None]] = []
    for name, inner in located.fields().items():
        if _is_flat(inner):
            lines.append((f"{indent}{name}: {_flow(inner)}", inner))
        else:
            lines += [(f"{indent}{name}:", None), *_lines(inner, depth + 1)]
    for item in located.items():
        first, *rest = _lines(item, depth + 1)
        lines += [(f"{indent}- {first[0].strip()}", first[1]), *rest]
    return lines


def _is_flat(located: Located) -> bool:
    """Whether the value fits on one line: a scalar, a list of scalars, or an empty value."""
    inner = [*located.fields().values(), *located.items()]
    return not inner or (not located.fields() and not any(_has_inner(item) for item in inner))


def _has_inner(located: Located) -> bool:
    return isinstance(located.value, dict | list)


def _flow(located: Located) -> str:
    """A value in YAML's flow style, as JSON."""
    return json.dumps(located.plain(), ensure_ascii=False, default=str)
