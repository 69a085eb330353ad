"""A PowerShell script as its syntax tree: its parameters, and every command that it calls."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

import tree_sitter_powershell
from tree_sitter import Language, Node, Parser

LANGUAGE = Language(tree_sitter_powershell.language())


@dataclass(frozen=True)
class Parameter:
    """A parameter of a script or of a function in it."""

    name: str
    type: str
    mandatory: bool
    values: tuple[str, ...]  # of ValidateSet; empty: any
    may_be_empty: bool


@dataclass(frozen=True)
class Argument:
    """What a parameter of a call is given; `literal` where it stands there as such."""

    text: str
    literals: tuple[str, ...]  # the values, where all of them are literals
    variable: str | None  # the variable's name, where it is just one
    attached: bool = False  # it stands behind a colon, as a switch's value must


@dataclass
class Call:
    """One command with its arguments; `before` is what stands to its left in the pipeline."""

    name: str
    line: int
    parameters: dict[str, Argument | None] = field(default_factory=dict)  # None: no value
    positional: list[Argument] = field(default_factory=list)
    splats: list[str] = field(default_factory=list)
    before: Node | None = None

    def __str__(self) -> str:
        return f"line {self.line}: {self.name}"


class Script:
    """A parsed script."""

    def __init__(self, text: str) -> None:
        self.source = text.encode()
        self.root = Parser(LANGUAGE).parse(self.source).root_node

    @cached_property
    def errors(self) -> list[str]:
        """Where the parser did not understand it."""
        return [
            f"line {node.start_point.row + 1}: {self.text(node)[:60]!r}"
            for node in walk(self.root)
            if node.is_error or node.is_missing
        ]

    @cached_property
    def parameters(self) -> list[Parameter]:
        """Those of its param block."""
        blocks = [node for node in self.root.children if node.type == "param_block"]
        return [p for block in blocks for p in self._parameters(block)]

    @cached_property
    def functions(self) -> dict[str, list[Parameter]]:
        """Its own functions by name, with their parameters."""
        found = {}
        for node in walk(self.root):
            if node.type == "function_statement":
                (name,) = [c for c in node.children if c.type == "function_name"]
                found[self.text(name)] = list(self._parameters(node))
        return found

    @cached_property
    def calls(self) -> list[Call]:
        """Every command, wherever it stands, in the order of the text."""
        return [self._call(node) for node in walk(self.root) if node.type == "command"]

    def text(self, node: Node) -> str:
        """What stands there."""
        return self.source[node.start_byte : node.end_byte].decode()

    def assigned(self, variable: str) -> list[Node]:
        """The right sides of all assignments to a variable."""
        found = []
        for node in walk(self.root):
            if node.type == "assignment_expression":
                left, right = node.children[0], node.children[-1]
                if self.text(left).strip().lower() == f"${variable.lower()}":
                    found.append(right)
        return found

    def last_command(self, node: Node) -> Node | None:
        """The last command of the pipeline below a node, looking through @( ) and ( )."""
        for inner in walk(node):
            if inner.type == "pipeline_chain":
                commands = [c for c in inner.children if c.type == "command"]
                if commands:
                    return commands[-1]
        return None

    def hash_entries(self, node: Node) -> dict[str, Argument]:
        """The entries of the first hash literal below a node."""
        body = next((n for n in walk(node) if n.type == "hash_literal_body"), None)
        entries = {}
        for entry in body.children if body else []:
            if entry.type == "hash_entry":
                key, value = entry.children[0], _part(entry, "pipeline")
                entries[self.text(key)] = self._argument(value)
        return entries

    def _parameters(self, node: Node) -> Iterator[Parameter]:
        for inner in walk(node):
            if inner.type == "script_parameter":
                attributes = [
                    self.text(a) for a in _part(inner, "attribute_list").children if a.is_named
                ]
                sets = [a for a in _attributes(inner) if self._is(a, "ValidateSet")]
                types = [a for a in attributes if "(" not in a]
                yield Parameter(
                    name=self.text(_part(inner, "variable")).lstrip("$"),
                    type=types[-1][1:-1] if types else "object",
                    mandatory=any("Mandatory" in a for a in attributes),
                    values=tuple(v for a in sets for v in self._literals(a)),
                    may_be_empty=any("AllowEmptyString" in a for a in attributes),
                )

    def _is(self, attribute: Node, name: str) -> bool:
        return self.text(attribute).lstrip("[").startswith(name)

    def _call(self, node: Node) -> Call:
        name = self.text(_part(node, "command_name"))
        call = Call(name, node.start_point.row + 1, before=_left_of(node))
        elements = [c for c in node.children if c.type == "command_elements"]
        waiting, attached = "", False
        for element in elements[0].children if elements else []:
            if element.type == "command_argument_sep":
                attached = self.text(element) == ":"
                continue
            if element.type == "command_parameter":
                waiting = self.text(element).lstrip("-")
                call.parameters[waiting] = None
            elif self.text(element).startswith("@") and self.text(element)[1:].isidentifier():
                call.splats.append(self.text(element)[1:])
                waiting = ""
            elif waiting:
                call.parameters[waiting] = replace(self._argument(element), attached=attached)
                waiting = ""
            else:
                call.positional.append(self._argument(element))
        return call

    def _argument(self, node: Node) -> Argument:
        text = self.text(node).strip()
        variable = text[1:] if text.startswith("$") and text[1:].isidentifier() else None
        return Argument(text, tuple(self._literals(node)), variable)

    def _literals(self, node: Node) -> list[str]:
        """The literal values below a node; none where anything else is there too."""
        values = []
        for inner in walk(node):
            if inner.type in ("variable", "command", "expandable_string_literal"):
                return []
            if inner.type == "generic_token":
                values.append(self.text(inner))
            elif inner.type == "verbatim_string_characters":
                values.append(self.text(inner).strip("'"))
            elif inner.type == "integer_literal":
                values.append(self.text(inner))
        return values


def walk(node: Node) -> Iterator[Node]:
    """The node and everything below it."""
    yield node
    for child in node.children:
        yield from walk(child)


def _part(node: Node, kind: str) -> Node:
    return next(child for child in node.children if child.type == kind)


def _attributes(parameter: Node) -> list[Node]:
    return [a for a in _part(parameter, "attribute_list").children if a.type == "attribute"]


def _left_of(command: Node) -> Node | None:
    """What stands before a command in its pipeline."""
    chain = command.parent
    if chain is None or chain.type != "pipeline_chain":
        return None
    named = [child for child in chain.children if child.is_named]
    place = next(i for i, child in enumerate(named) if child.id == command.id)
    return named[place - 1] if place else None
