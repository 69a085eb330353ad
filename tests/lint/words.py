"""Checks names, docstrings, comments, messages and documents for words to avoid.

    python -m tests.lint.words [FILE...]

Without files it checks the checkout. It exits with 1 if it finds any.
"""

from __future__ import annotations

import ast
import io
import re
import subprocess
import sys
import tokenize
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.lint.vocabulary import NAMES, PROSE, Rule, violations

ROOT = Path(__file__).parents[2]

LEFT_OUT = (
    "tests/data/",
    "tests/lint/vocabulary.py",
    "tests/unit/test_word_lint.py",
)
"""History, what real programs print, and the words themselves."""

QUOTED = re.compile(r"`[^`]*`|\"[^\"\n]*\"|<[^>\n]*>|\]\([^)\n]*\)|https?://\S+")
"""Parts of a document or a comment that quote something: code, output, links."""

PATTERN_PREFIX = re.compile(r"[rRbB]+(?=['\"])")
"""The prefix of literals that hold patterns or bytes, mostly of other programs' output."""


@dataclass(frozen=True)
class Finding:
    """Words to avoid in a file."""

    file: Path
    line: int
    words: str
    instead: str

    def __str__(self) -> str:
        file = self.file.relative_to(ROOT) if self.file.is_relative_to(ROOT) else self.file
        return f"{file}:{self.line}: {self.words!r}; say: {self.instead}"


def check(file: Path) -> list[Finding]:
    """The findings in one file, by its kind."""
    text = file.read_text(encoding="utf-8")
    pieces = _KINDS[file.suffix](text, file)
    found = [
        Finding(file, line + prose.count("\n", 0, at), words, instead)
        for line, prose, rules in pieces
        for at, words, instead in violations(prose, rules)
    ]
    return sorted(found, key=lambda finding: finding.line)


Piece = tuple[int, str, tuple[Rule, ...]]
"""A piece of text with its first line and its rules."""


def _python(text: str, file: Path) -> Iterator[Piece]:
    tree = ast.parse(text)
    docstrings = {node.lineno for node in _bare_strings(tree)}
    for line, name in _names(tree):
        yield line, name, NAMES
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], _unquoted(token.string), PROSE
        elif token.type == tokenize.STRING and _is_prose(token, docstrings, file):
            yield token.start[0], _unquoted(token.string.strip("fF\"'")), PROSE


def _bare_strings(tree: ast.AST) -> Iterator[ast.Constant]:
    """Docstrings, also those of constants: string expressions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield node.value


def _is_prose(token: tokenize.TokenInfo, docstrings: set[int], file: Path) -> bool:
    """Docstrings always; other strings only in the product, where they are messages."""
    if token.start[0] in docstrings:
        return True
    is_test = file.is_relative_to(ROOT / "tests")
    return not is_test and " " in token.string and not PATTERN_PREFIX.match(token.string)


def _names(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """The names that a module gives, as words; functions of tests excepted."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            if not node.name.startswith("test_"):
                yield node.lineno, _words(node.name)
        elif isinstance(node, ast.arg):
            yield node.lineno, _words(node.arg)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, _words(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.lineno, _words(node.attr)


def _words(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])|_+", " ", name)


def _document(text: str, _: Path) -> Iterator[Piece]:
    """A Markdown document without its code blocks."""
    fenced = re.sub(r"^```.*?^```", _blank, text, flags=re.MULTILINE | re.DOTALL)
    yield 1, _unquoted(re.sub(r"^(?: {4}|\t).*$", _blank, fenced, flags=re.MULTILINE)), PROSE


def _data(text: str, _: Path) -> Iterator[Piece]:
    """The comments of a file with `#` comments."""
    for number, line in enumerate(text.splitlines(), 1):
        if found := re.search(r"(?:^|\s)#\s(.*)", line):
            yield number, _unquoted(found[1]), PROSE


def _unquoted(text: str) -> str:
    return QUOTED.sub(_blank, text)


def _blank(found: re.Match[str]) -> str:
    return re.sub(r"\S", ".", found.group())


_KINDS: dict[str, Callable[[str, Path], Iterable[Piece]]] = {
    ".py": _python,
    ".md": _document,
    ".yaml": _data,
    ".ini": _data,
    ".toml": _data,
    ".sh": _data,
    ".ps1": _data,
}


def tracked_files() -> list[Path]:
    """The files of the checkout that the lint reads."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    files = [name for name in listed.split("\0") if name and not name.startswith(LEFT_OUT)]
    return [ROOT / name for name in files if Path(name).suffix in _KINDS]


def main(arguments: list[str]) -> int:
    """Print every finding; 1 if there is any."""
    files = [Path(name).resolve() for name in arguments] or tracked_files()
    found = [finding for file in files if file.exists() for finding in check(file)]
    for finding in found:
        print(finding)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
