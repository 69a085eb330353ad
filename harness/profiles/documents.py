"""YAML files into models, with errors that name file, line, field and the nearest valid value."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.constructor import ConstructorError, RoundTripConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from harness.errors import BadFileError

SIZE_LIMIT = 1024 * 1024
"""Bytes: no file of ours comes near it."""

VALUES_LIMIT = 20_000
"""Values of a file with its aliases written out, of which a small file may hold billions."""


class Document(BaseModel):
    """Base of everything that a user may write in a YAML file: strict, and fixed once read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Model = TypeVar("Model", bound=Document)


def read_document(file: Path, model: type[Model]) -> Model:
    """Read one file; raises BadFileError for the first problem of it."""
    problems: list[BadFileError] = []
    document = try_document(file, model, problems)
    if document is None:
        raise problems[0]
    return document


def try_document(file: Path, model: type[Model], problems: list[BadFileError]) -> Model | None:
    """Read one file; adds each problem of it to `problems`, and returns None where there is one."""
    data = _load(file, problems)
    if data is None:
        return None
    try:
        plain = _plain(data, count(1))
    except (ValueError, RecursionError):
        words = "holds too many values, or one that holds itself"
        problems.append(BadFileError(file, None, "file", words))
        return None
    try:
        return model.model_validate(plain)
    except ValidationError as error:
        # A misspelt field is missing too: the misspelling is what helps, so it comes first.
        details = error.errors(include_url=False)
        for detail in sorted(details, key=lambda detail: detail["type"] != "extra_forbidden"):
            problems.append(_problem(file, data, model, dict(detail)))
        return None


def nearest(word: str, known: Sequence[str]) -> str | None:
    """The known word that is most like `word`, where one is near."""
    matches = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return matches[0] if matches else None


class _Constructor(RoundTripConstructor):
    """Says where a value stands that is none of its type, such as the 45th of a month."""

    def construct_object(self, node: Any, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except ValueError as error:
            raise ConstructorError(None, None, str(error), node.start_mark) from error


def _load(file: Path, problems: list[BadFileError]) -> Any:
    try:
        if file.stat().st_size > SIZE_LIMIT:
            problems.append(BadFileError(file, None, "file", "is larger than 1 MiB"))
            return None
        text = file.read_text(encoding="utf-8")
        yaml = YAML(typ="rt")
        yaml.Constructor = _Constructor
        data = yaml.load(text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        problems.append(BadFileError(file, line, "YAML", str(error.problem or error.context)))
        return None
    except (YAMLError, OSError, UnicodeDecodeError, RecursionError) as error:
        problems.append(BadFileError(file, None, "file", f"can not be read: {error}"))
        return None
    if not isinstance(data, dict):
        problems.append(BadFileError(file, 1, "document", "should be a mapping of fields"))
        return None
    return data


def _plain(data: Any, counter: Iterator[int]) -> Any:
    """The data without ruamel's own types, which strict validation would refuse."""
    if next(counter) > VALUES_LIMIT:
        raise ValueError("too many values")
    if isinstance(data, dict):
        return {str(key): _plain(value, counter) for key, value in data.items()}
    if isinstance(data, list):
        return [_plain(value, counter) for value in data]
    for kind in (bool, int, float, str):
        if isinstance(data, kind):
            return kind(data)
    return data


def _problem(file: Path, data: Any, model: type[BaseModel], detail: dict[str, Any]) -> BadFileError:
    path = tuple(detail["loc"])
    field = ".".join(str(part) for part in path) or "document"
    words = str(detail["msg"])
    remedy = None
    if detail["type"] == "extra_forbidden":
        words = "is no field that is known here"
        near = nearest(str(path[-1]), _fields_at(model, path[:-1]))
        remedy = f"{near}" if near else None
    elif detail["type"] == "missing":
        words = "is missing"
    elif detail["type"] == "enum":
        words = f"{detail['input']!r}: {words}"
        expected = str(detail.get("ctx", {}).get("expected", ""))
        remedy = nearest(str(detail["input"]), expected.split("'")[1::2])
    else:
        words = f"{words}, was {detail['input']!r}"[:300]
    return BadFileError(file, _line_of(data, path), field, words, remedy=remedy)


def _line_of(data: Any, path: tuple[Any, ...]) -> int | None:
    """The line of the deepest part of `path` that the file has, counted from 1."""
    line: int | None = 1
    for part in path:
        position = getattr(data, "lc", None)
        try:
            line = (position.key(part) if isinstance(data, dict) else position.item(part))[0] + 1  # type: ignore[union-attr]
            data = data[part]
        except (KeyError, IndexError, TypeError, AttributeError):
            break
    return line


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
