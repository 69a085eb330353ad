"""YAML files as values that know where they stand: file and line, kept through merging."""

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
"""Bytes: no file of ours comes near it."""

VALUES_LIMIT = 20_000
"""Values of a file with its aliases written out, of which a small file may hold billions."""

SYNTAX_REMEDY = "look at the indentation, the quotes and the brackets there"
ALIAS_REMEDY = "write the values out, without & and *"

Scalar = str | int | float | bool | date | datetime | None


@dataclass(frozen=True)
class Located:
    """A value of a YAML file, and the line (counted from 1) where its key or item stands."""

    value: dict[str, Located] | list[Located] | Scalar
    file: Path
    line: int

    def plain(self) -> Any:
        """The value alone."""
        if isinstance(self.value, dict):
            return {key: inner.plain() for key, inner in self.value.items()}
        if isinstance(self.value, list):
            return [inner.plain() for inner in self.value]
        return self.value

    def at(self, path: Sequence[str | int]) -> Located:
        """The deepest value on the way along `path`."""
        found = self
        for part in path:
            inner = found._inner(part)
            if inner is None:
                break
            found = inner
        return found

    def fields(self) -> dict[str, Located]:
        """The fields of a mapping; none where it is no mapping."""
        return self.value if isinstance(self.value, dict) else {}

    def items(self) -> list[Located]:
        """The items of a list; none where it is no list."""
        return self.value if isinstance(self.value, list) else []

    def _inner(self, part: str | int) -> Located | None:
        if isinstance(part, str):
            return self.fields().get(part)
        items = self.items()
        return items[part] if part < len(items) else None

    def replaced(self, value: dict[str, Located] | list[Located] | Scalar) -> Located:
        """Another value in the same place."""
        return Located(value, self.file, self.line)

    def problem(self, field: str, words: str, *, remedy: str | None = None) -> BadFileError:
        """An error that names this place."""
        return BadFileError(self.file, self.line, field, words, remedy=remedy)


def read_located(file: Path) -> Located:
    """Read a file that holds a mapping; raises BadFileError where it does not."""
    try:
        if file.stat().st_size > SIZE_LIMIT:
            raise BadFileError(
                file, None, "file", "is larger than 1 MiB", remedy="take out what is no fact"
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
            file, None, "file", f"can not be read: {error}", remedy="a readable file of UTF-8 text"
        ) from error
    if located is None or not isinstance(located.value, dict):
        raise BadFileError(
            file, 1, "document", "should be a mapping of fields", remedy="begin with id: NAME"
        )
    return located


class _Reader:
    """Turns the nodes of one file into values; bounded, since aliases can hold each other."""

    def __init__(self, file: Path, constructor: SafeConstructor) -> None:
        self._file = file
        self._constructor = constructor
        self._counter: Iterator[int] = count(1)
        self._open: set[int] = set()

    def read(self, node: Node, line: int) -> Located:
        """The value of a node that stands on `line`."""
        if next(self._counter) > VALUES_LIMIT:
            raise BadFileError(
                self._file, line, "file", "holds too many values", remedy=ALIAS_REMEDY
            )
        if id(node) in self._open:
            raise BadFileError(
                self._file, line, "file", "holds a value that holds itself", remedy=ALIAS_REMEDY
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
                words = f"stands here again, first in line {fields[key].line}"
                raise BadFileError(self._file, line, key, words, remedy="keep one of the two")
            fields[key] = self.read(value, line)
        return fields

    def _scalar(self, node: Node) -> Scalar:
        try:
            value: Scalar = self._constructor.construct_object(node)
        except ValueError as error:  # such as the 45th of a month
            line = node.start_mark.line + 1
            raise BadFileError(
                self._file, line, "YAML", str(error), remedy="a value that there can be"
            ) from error
        return value
