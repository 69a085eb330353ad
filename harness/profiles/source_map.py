"""YAML values with their source position, file and line, which survives merging."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import count
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from harness.errors import BadFileError

SIZE_LIMIT = 1024 * 1024
"""Limit of a file in bytes; real files are far smaller."""

VALUES_LIMIT = 20_000
"""Limit of a file's values with aliases expanded: a small file may expand to billions."""

SYNTAX_REMEDY = "check the indentation, the quotes and the brackets there"
ALIAS_REMEDY = "write the values in full, without & and *"

Scalar = str | int | float | bool | date | datetime | None


@dataclass(frozen=True)
class Located:
    """A value of a YAML file, and the line (from 1) of its key or item."""

    value: dict[str, Located] | list[Located] | Scalar
    file: Path
    line: int

    def plain(self) -> Any:
        """The plain value."""
        if isinstance(self.value, dict):
            return {key: inner.plain() for key, inner in self.value.items()}
        if isinstance(self.value, list):
            return [inner.plain() for inner in self.value]
        return self.value

    def at(self, path: Sequence[str | int]) -> Located:
        """The deepest existing value along `path`."""
        found = self
        for part in path:
            inner = found._inner(part)
            if inner is None:
                break
            found = inner
        return found

    def fields(self) -> dict[str, Located]:
        """The fields of a mapping; empty for other values."""
        return self.value if isinstance(self.value, dict) else {}

    def items(self) -> list[Located]:
        """The items of a list; empty for other values."""
        return self.value if isinstance(self.value, list) else []

    def _inner(self, part: str | int) -> Located | None:
        if isinstance(part, str):
            return self.fields().get(part)
        items = self.items()
        return items[part] if part < len(items) else None

    def replaced(self, value: dict[str, Located] | list[Located] | Scalar) -> Located:
        """Another value at the same position."""
        return Located(value, self.file, self.line)

    def problem(self, field: str, words: str, *, remedy: str | None = None) -> BadFileError:
        """An error that names this position."""
        return BadFileError(self.file, self.line, field, words, remedy=remedy)


def read_located(file: Path) -> Located:
    """Read a file that holds a mapping. Raises BadFileError if it does not."""
    try:
        if file.stat().st_size > SIZE_LIMIT:
            raise BadFileError(
                file, None, "file", "is larger than 1 MiB", remedy="remove what is not a fact"
            )
        yaml = YAML(typ="safe", pure=True)
        node = yaml.compose(file.read_text(encoding="utf-8"))
        located = _Reader(file, yaml.constructor).read(node, 1) if node is not None else None
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise BadFileError(
            file, line, "YAML", str(error.problem or error.context), remedy=SYNTAX_REMEDY
        ) from error
    except (YAMLError, OSError, UnicodeDecodeError, RecursionError) as error:
        raise BadFileError(
            file, None, "file", f"cannot be read: {error}", remedy="a readable file of UTF-8 text"
        ) from error
    if located is None or not isinstance(located.value, dict):
        raise BadFileError(
            file, 1, "document", "should be a mapping of fields", remedy="start with id: NAME"
        )
    return located


class _Reader:
    """Constructs values from the nodes of one file; bounded, as aliases can be recursive."""

    def __init__(self, file: Path, constructor: SafeConstructor) -> None:
        self._file = file
        self._constructor = constructor
        self._counter: Iterator[int] = count(1)
        self._open: set[int] = set()

    def read(self, node: Node, line: int) -> Located:
        """The value of a node, with the given line."""
        if next(self._counter) > VALUES_LIMIT:
            raise BadFileError(self._file, line, "file", "has too many values", remedy=ALIAS_REMEDY)
        if id(node) in self._open:
            raise BadFileError(
                self._file, line, "file", "has a value that contains itself", remedy=ALIAS_REMEDY
            )
        self._open.add(id(node))
        try:
            return Located(self._value(node), self._file, line)
        finally:
            self._open.discard(id(node))

    def _value(self, node: Node) -> dict[str, Located] | list[Located] | Scalar:
        if isinstance(node, MappingNode):
            return self._mapping(node)
        if isinstance(node, SequenceNode):
            return [self.read(item, item.start_mark.line + 1) for item in node.value]
        return self._scalar(node)

    def _mapping(self, node: MappingNode) -> dict[str, Located]:
        fields: dict[str, Located] = {}
        for key_node, value in node.value:
            key = str(self._scalar(key_node)) if isinstance(key_node, ScalarNode) else "?"
            line = key_node.start_mark.line + 1
            if key in fields:
                words = f"is a duplicate of line {fields[key].line}"
                raise BadFileError(self._file, line, key, words, remedy="keep one of the two")
            fields[key] = self.read(value, line)
        return fields

    def _scalar(self, node: Node) -> Scalar:
        try:
            value: Scalar = self._constructor.construct_object(node)
        except ValueError as error:  # such as the 45th of a month
            line = node.start_mark.line + 1
            raise BadFileError(
                self._file, line, "YAML", str(error), remedy="a value that exists"
            ) from error
        return value
