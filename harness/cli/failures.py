"""The report of a command's failure, and its exit status."""

from __future__ import annotations

import os
import select
import sys
import traceback
from contextlib import suppress

from harness.cli.output import echo
from harness.errors import DISK_FULL, GuestcertError, HarnessError

CLOSED_PIPE = 141
"""Exit status of a command that a closed pipe ended, as in shells (128 + SIGPIPE)."""

STANDARD_OUTPUT = 1


def duplicate_output() -> int | None:
    """Duplicate standard output, since rich replaces a closed pipe by /dev/null."""
    try:
        return os.dup(STANDARD_OUTPUT)
    except OSError:
        return None


def report_failure(error: BaseException, output: int | None) -> int:
    """Print what went wrong to standard error; returns the exit status.

    `output` is the duplicate of standard output. Nothing is printed where its reader has gone.
    A fault of guestcert ends as one of the lab does: it is not a verdict.
    """
    unread = isinstance(error, BrokenPipeError) and _has_no_reader(output)
    _drop_unwritable_output()
    if unread:
        return CLOSED_PIPE
    with suppress(OSError):
        if isinstance(error, GuestcertError):
            echo(f"guestcert: {error}", err=True)
        elif isinstance(error, OSError):
            echo(f"guestcert: {_explained(error)}", err=True)
        else:
            echo("".join(traceback.format_exception(error)), err=True)
    return error.exit_code if isinstance(error, GuestcertError) else HarnessError.exit_code


def _explained(error: OSError) -> HarnessError:
    what = error.filename or "the output"
    if error.errno in DISK_FULL:
        return HarnessError(
            f"no space is left to write {what}",
            remedy="free some, or name another folder (-o, --reports, GUESTCERT_HOME)",
        )
    return HarnessError(f"{what}: {error.strerror or error}")


def _has_no_reader(descriptor: int | None) -> bool:
    """Whether the descriptor is a pipe without a reader."""
    if descriptor is None:
        return False
    poll = select.poll()
    poll.register(descriptor, 0)
    return any(event & select.POLLERR for _, event in poll.poll(0))


def _drop_unwritable_output() -> None:
    """Discard buffered output: Python would write it at exit and report the same fault again."""
    try:
        if sys.__stdout__ is not None:
            sys.__stdout__.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), STANDARD_OUTPUT)
