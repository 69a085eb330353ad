"""Validates YAML values as models; errors name file, line, field and the nearest valid value."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from harness.errors import BadFileError
from harness.profiles.source_map import Located, read_located


class Document(BaseModel):
    """Base of the models of user-written YAML files: strict and frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Model = TypeVar("Model", bound=Document)

REMEDIES = {
    "string_type": 'text, in quotes if it looks like a number: "12"',
    "int_type": "a whole number, without quotes",
    "int_parsing": "a whole number",
    "bool_type": "true or false",
    "greater_than": "a number above zero",
    "date_from_datetime_parsing": "a day as 2024-06-30",
    "date_type": "a day as 2024-06-30",
    "tuple_type": "a list, as [a, b]",
    "dict_type": "a mapping of fields, as {a: 1}",
    "model_type": "a mapping of fields, as {a: 1}",
    "too_short": "name at least one",
}
"""Remedies by pydantic's error types."""


def read_document(file: Path, model: type[Model]) -> Model:
    """Read one file. Raises BadFileError for its first problem."""
    problems: list[BadFileError] = []
    document = validated(read_located(file), model, problems)
    if document is None:
        raise problems[0]
    return document


def validated(located: Located, model: type[Model], problems: list[BadFileError]) -> Model | None:
    """The validated model of a value; None after adding the problems found to `problems`."""
    try:
        return model.model_validate(located.plain())
    except ValidationError as error:
        # A misspelt field is also missing; the misspelling helps more, so it comes first.
        details = error.errors(include_url=False)
        for detail in sorted(details, key=lambda detail: detail["type"] != "extra_forbidden"):
            problems.append(_problem(located, model, dict(detail)))
        return None


def nearest(word: str, known: Sequence[str]) -> str | None:
    """The known word nearest to `word`, if one is close."""
    matches = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return matches[0] if matches else None


def nearest_few(word: str, known: Sequence[str], count: int = 5) -> list[str]:
    """The known words close to `word`, the nearest first."""
    by_likeness = difflib.SequenceMatcher(b=word)

    def likeness(other: str) -> float:
        by_likeness.set_seq1(other)
        return by_likeness.ratio()

    return sorted(known, key=likeness, reverse=True)[:count]


def _problem(located: Located, model: type[BaseModel], detail: dict[str, Any]) -> BadFileError:
    path = tuple(detail["loc"])
    field = ".".join(str(part) for part in path) or "document"
    seen = detail["input"]
    words = f"{detail['msg']}, was {seen!r}"[:300]
    remedy = REMEDIES.get(detail["type"], f"see {field} in docs/reference/profiles.md")
    if detail["type"] == "extra_forbidden":
        words = "is not a known field here"
        remedy = _one_of(str(path[-1]), _fields_at(model, path[:-1]))
    elif detail["type"] == "missing":
        words, remedy = "is missing", f"add {path[-1]}"
    elif detail["type"] in ("enum", "literal_error"):
        words = f"{seen!r}: {detail['msg']}"
        expected = str(detail.get("ctx", {}).get("expected", ""))
        remedy = _one_of(str(seen), expected.split("'")[1::2] or [expected])
    elif detail["type"] == "value_error":
        words = str(detail["msg"]).removeprefix("Value error, ")
        remedy = "correct or remove one of the two"
    return located.at(path).problem(field, words, remedy=remedy)


def _one_of(word: str, known: Sequence[str]) -> str:
    """The known word nearest to `word`; all of them if none is close."""
    return nearest(word, known) or f"one of {', '.join(known)}"


def _fields_at(model: type[BaseModel], path: tuple[Any, ...]) -> list[str]:
    """The field names of the model at `path`."""
    for part in path:
        field = model.model_fields.get(str(part))
        if field is None:
            continue  # an index of a list
        candidates = [field.annotation, *getattr(field.annotation, "__args__", ())]
        found = [c for c in candidates if isinstance(c, type) and issubclass(c, BaseModel)]
        if not found:
            return []
        model = found[0]
    return list(model.model_fields)
