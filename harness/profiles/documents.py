"""YAML values into models, with errors that name file, line, field and the nearest valid value."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from harness.errors import BadFileError
from harness.profiles.source_map import Located, read_located


class Document(BaseModel):
    """Base of everything that a user may write in a YAML file: strict, and fixed once read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Model = TypeVar("Model", bound=Document)

REMEDIES = {
    "string_type": 'text, in quotes where it looks like a number: "12"',
    "int_type": "a whole number, without quotes",
    "int_parsing": "a whole number",
    "bool_type": "true or false",
    "greater_than": "a number above zero",
    "date_from_datetime_parsing": "a day as 2024-06-30",
    "date_type": "a day as 2024-06-30",
    "tuple_type": "a list, as [a, b]",
    "dict_type": "a mapping of fields, as {a: 1}",
    "model_type": "a mapping of fields, as {a: 1}",
    "too_short": "name one at least",
}
"""What to write instead, by pydantic's name of the error."""


def read_document(file: Path, model: type[Model]) -> Model:
    """Read one file; raises BadFileError for the first problem of it."""
    problems: list[BadFileError] = []
    document = validated(read_located(file), model, problems)
    if document is None:
        raise problems[0]
    return document


def validated(located: Located, model: type[Model], problems: list[BadFileError]) -> Model | None:
    """The model of a value; adds each problem to `problems`, and returns None where one is."""
    try:
        return model.model_validate(located.plain())
    except ValidationError as error:
        # A misspelt field is missing too: the misspelling is what helps, so it comes first.
        details = error.errors(include_url=False)
        for detail in sorted(details, key=lambda detail: detail["type"] != "extra_forbidden"):
            problems.append(_problem(located, model, dict(detail)))
        return None


def nearest(word: str, known: Sequence[str]) -> str | None:
    """The known word that is most like `word`, where one is near."""
    matches = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return matches[0] if matches else None


def nearest_few(word: str, known: Sequence[str], count: int = 5) -> list[str]:
    """The known words that are most like `word`, the nearest first."""
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
    remedy = REMEDIES.get(detail["type"], f"docs/reference/profiles.md says what {field} may be")
    if detail["type"] == "extra_forbidden":
        words = "is no field that is known here"
        remedy = _one_of(str(path[-1]), _fields_at(model, path[:-1]))
    elif detail["type"] == "missing":
        words, remedy = "is missing", f"add {path[-1]}"
    elif detail["type"] in ("enum", "literal_error"):
        words = f"{seen!r}: {detail['msg']}"
        expected = str(detail.get("ctx", {}).get("expected", ""))
        remedy = _one_of(str(seen), expected.split("'")[1::2] or [expected])
    elif detail["type"] == "value_error":
        words = str(detail["msg"]).removeprefix("Value error, ")
        remedy = "correct one of the two, or take one away"
    return located.at(path).problem(field, words, remedy=remedy)


def _one_of(word: str, known: Sequence[str]) -> str:
    """The known word that is most like `word`; all of them where none is near."""
    return nearest(word, known) or f"one of {', '.join(known)}"


def _fields_at(model: type[BaseModel], path: tuple[Any, ...]) -> list[str]:
    """The field names of the model that stands at `path`."""
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
