"""Logging in on a serial console, in whatever language it asks for the password."""

from __future__ import annotations

import re
from enum import Enum, auto

from harness.channels.console_dialog import ConsoleDialog
from harness.errors import GuestFailure

LOGIN_PROMPT = r"(?<![Ll]ast )\blogin: "
"""What getty prints when it is ready, whatever others print behind it; it is not translated."""

ASKS = re.compile(r"\S.*[:\uff1a]\s*$")
"""A line that asks for something: every language puts a colon, some a wide one."""

USUAL = re.compile(r"[Pp]assword: ?$")
"""The commonest of them, which needs no test of its echo: that takes a while."""

MOST_TRIES = 4


class LoginRefused(GuestFailure):
    """The guest refused the name and password."""


class Verdict(Enum):
    """How an attempt to log in ended."""

    IN = auto()
    REFUSED = auto()
    UNCLEAR = auto()


def log_in(dialog: ConsoleDialog, user: str, password: str) -> None:
    """Log in, wherever the console stands; raises LoginRefused where the guest refuses.

    An attempt in which something was missed is made again, until the dialog's deadline.
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
    # Who typed the password where no prompt was seen was perhaps not heard.
    refused_unheard = verdict is Verdict.REFUSED and not seen
    return Verdict.UNCLEAR if refused_unheard else verdict


def _await_login_prompt(dialog: ConsoleDialog) -> str:
    """Come to a login prompt, from a shell or a password prompt too; returns its line.

    The line is something else where others wrote behind the prompt.
    """
    line = dialog.line
    while not dialog.echoes():
        if dialog.shell_answers():
            log_out(dialog)
        line = dialog.standing_line()
    return line


def log_out(dialog: ConsoleDialog) -> None:
    """Leave the shell, and wait for the login prompt that the next user will find."""
    dialog.awaited = "a login prompt"
    dialog.send(b"exit\r")
    while not ASKS.search(dialog.standing_line()) and not dialog.echoes():
        pass


def _await_password_prompt(dialog: ConsoleDialog, prompt: str) -> bool | None:
    """Wait for the password prompt: True where it was seen, False where something hides it.

    None where none comes, or the name is asked for again.
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
    """Whether a shell takes a command now, or the guest asks for a name again."""
    asked, prodded = 0, False
    for _ in range(MOST_TRIES):
        line = dialog.standing_line()
        if not line.strip() and not prodded:  # others write behind a prompt: have another
            dialog.send(b"\r")
            prodded = True
            continue
        if re.search(LOGIN_PROMPT + "$", line) or (line == prompt and ASKS.search(line)):
            return Verdict.REFUSED
        # The greeting differs from one OS to the next: a shell is there once it answers.
        if dialog.shell_answers():
            return Verdict.IN
        asked += ASKS.search(dialog.standing_line()) is not None
        if asked == 2:  # in another language than getty's prompt
            dialog.send(b"\r")  # an end to the login that took the question for a name
            dialog.standing_line()
            return Verdict.REFUSED
    return Verdict.UNCLEAR
