"""Logs in on a serial console, independent of the language of its prompts."""

from __future__ import annotations

import re
from enum import Enum, auto

from harness.channels.console_dialog import ConsoleDialog
from harness.errors import GuestFailure

LOGIN_PROMPT = r"(?<![Ll]ast )\blogin: "
"""getty's prompt, which is not translated; other output may follow it."""

ASKS = re.compile(r"\S.*[:\uff1a]\s*$")
"""A prompt: every language ends it with a colon, some with a fullwidth one."""

USUAL = re.compile(r"[Pp]assword: ?$")
"""The most common prompt, which needs no slow test of its echo."""

MOST_TRIES = 4


class LoginRefused(GuestFailure):
    """The guest refused the name and password."""


class Verdict(Enum):
    """The result of an attempt to log in."""

    IN = auto()
    REFUSED = auto()
    UNCLEAR = auto()


def log_in(dialog: ConsoleDialog, user: str, password: str) -> None:
    """Log in from any state of the console. Raises LoginRefused if the guest refuses.

    An unclear attempt is retried until the dialog's deadline.
    """
    verdict = Verdict.UNCLEAR
    while verdict is Verdict.UNCLEAR:
        verdict = _attempt(dialog, user, password)
    if verdict is Verdict.REFUSED:
        raise LoginRefused(f"the guest refused the password of {user} on the serial console")


def _attempt(dialog: ConsoleDialog, user: str, password: str) -> Verdict:
    dialog.awaited = "a login prompt"
    prompt = _await_login_prompt(dialog)
    dialog.awaited = "the password prompt"
    dialog.send(user.encode() + b"\r")
    seen = _await_password_prompt(dialog, prompt)
    if seen is None:
        return Verdict.UNCLEAR
    dialog.awaited = "a shell prompt"
    dialog.send(password.encode() + b"\r")
    verdict = _await_verdict(dialog, prompt)
    # A password typed without a visible prompt may have been lost.
    maybe_lost = verdict is Verdict.REFUSED and not seen
    return Verdict.UNCLEAR if maybe_lost else verdict


def _await_login_prompt(dialog: ConsoleDialog) -> str:
    """Get to a login prompt, also from a shell or a password prompt; returns its line.

    The line differs from the prompt if other output followed it.
    """
    line = dialog.line
    while not dialog.echoes():
        if dialog.shell_answers():
            log_out(dialog)
        line = dialog.standing_line()
    return line


def log_out(dialog: ConsoleDialog) -> None:
    """Leave the shell, and wait for the next login prompt."""
    dialog.awaited = "a login prompt"
    dialog.send(b"exit\r")
    while not ASKS.search(dialog.standing_line()) and not dialog.echoes():
        pass


def _await_password_prompt(dialog: ConsoleDialog, prompt: str) -> bool | None:
    """Wait for the password prompt: True if it was seen, False if other output hides it.

    None if there is none, or the login prompt returns.
    """
    for _ in range(MOST_TRIES):
        line = dialog.standing_line()
        asks = ASKS.search(line) is not None
        if asks and (ASKS.search(prompt) or USUAL.search(line)):
            return None if line == prompt else True
        if not dialog.echoes():
            return asks
    return None


def _await_verdict(dialog: ConsoleDialog, prompt: str) -> Verdict:
    """The result: a shell that takes a command, or another login prompt."""
    asked, requested = 0, False
    for _ in range(MOST_TRIES):
        line = dialog.standing_line()
        if not line.strip() and not requested:  # other output hides the prompt: request another
            dialog.send(b"\r")
            requested = True
            continue
        if re.search(LOGIN_PROMPT + "$", line) or (line == prompt and ASKS.search(line)):
            return Verdict.REFUSED
        # Greetings differ between OSes: the login succeeded once a shell answers.
        if dialog.shell_answers():
            return Verdict.IN
        asked += ASKS.search(dialog.standing_line()) is not None
        if asked == 2:  # in another language than getty's prompt
            dialog.send(b"\r")  # ends the login that took the probe for a name
            dialog.standing_line()
            return Verdict.REFUSED
    return Verdict.UNCLEAR
