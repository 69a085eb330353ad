"""Inheritance of profiles and recipes from the files of families/."""

from __future__ import annotations

from pathlib import Path

from harness.errors import BadFileError
from harness.profiles.documents import nearest
from harness.profiles.merge import merged
from harness.profiles.source_map import Located, read_located


class Families:
    """The files of a folder families/, each read once, for inheritance."""

    def __init__(self, folder: Path) -> None:
        self._files = {file.stem: file for file in sorted(folder.glob("*.yaml"))}
        self._resolved: dict[str, Located] = {}
        self._used: set[str] = set()

    def inherited(self, own: Located, below: tuple[str, ...] = ()) -> Located:
        """A document merged with its chain of parents."""
        parent = own.fields().get("parent")
        if parent is None:
            return own
        rest = own.replaced({k: v for k, v in own.fields().items() if k != "parent"})
        return merged(self._family(parent, below), rest)

    def unused(self) -> list[BadFileError]:
        """A problem for every family without children."""
        remedy = "remove the file"
        return [
            BadFileError(file, 1, "file", "is the parent of no profile", remedy=remedy)
            for name, file in self._files.items()
            if name not in self._used
        ]

    def _family(self, parent: Located, below: tuple[str, ...]) -> Located:
        name = parent.value
        if not isinstance(name, str):
            raise parent.problem(
                "parent", "should be the name of one family", remedy="a single chain of parents"
            )
        if name in below:
            chain = " -> ".join([*below[below.index(name) :], name])
            raise parent.problem(
                "parent", f"forms a cycle: {chain}", remedy="remove one of these parents"
            )
        if name not in self._files:
            raise parent.problem(
                "parent",
                f"there is no family {name!r} in families/",
                remedy=nearest(name, list(self._files)) or f"one of {', '.join(self._files)}",
            )
        self._used.add(name)
        if name not in self._resolved:
            own = read_located(self._files[name])
            self._resolved[name] = self.inherited(own, (*below, name))
        return self._resolved[name]
