"""The output of commands: to the terminal, and into the file that the user names."""

from __future__ import annotations

from pathlib import Path

import typer

from harness.errors import UsageError
from harness.results.store import write_text
from harness.text import sanitize


def echo(text: str, *, err: bool = False) -> None:
    """Print a line, sanitized: it may quote a guest, a medium, or another user's machine."""
    typer.echo(sanitize(text, None), err=err)


def write_output(text: str, target: Path | None) -> None:
    """Write a command's result into the file `target`, or to standard output where it is None.

    A regular file is replaced atomically. A link is followed and a device written to: neither is
    replaced. No folder is created. Raises UsageError where `target` cannot be a file.
    """
    if target is None:
        typer.echo(text, nl=False)
        return
    if target.is_dir() or not target.parent.is_dir():
        what = "is a folder" if target.is_dir() else f"lies in no folder: {target.parent}"
        raise UsageError(f"{target} {what}", remedy="name a file in a folder that exists")
    if target.is_symlink() or (target.exists() and not target.is_file()):
        target.write_text(text, encoding="utf-8")
        return
    write_text(target, text)
