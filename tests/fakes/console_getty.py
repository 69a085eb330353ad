"""A getty, a login and a shell on a real terminal: run with the terminal as standard input.

Arguments: the right password, the login prompt, the prompt after a refusal, the password prompt,
the refusal, the shell's prompt.
"""

from __future__ import annotations

import os
import subprocess
import sys
import termios

ECHO_ATTRIBUTES = 3


def show(text: str) -> None:
    """Write on the terminal."""
    os.write(1, text.encode())


def ask(prompt: str, *, echo: bool = True) -> str:
    """Read a line; as login does, drop what was typed before the prompt for a password."""
    attributes = termios.tcgetattr(0)
    hidden = list(attributes)
    if not echo:
        hidden[ECHO_ATTRIBUTES] &= ~termios.ECHO
        termios.tcsetattr(0, termios.TCSAFLUSH, hidden)
    show(prompt)
    line = os.read(0, 4096)
    if not echo:
        termios.tcsetattr(0, termios.TCSAFLUSH, attributes)
        show("\n")
    if not line:
        sys.exit()
    return line.decode(errors="replace").rstrip("\n")


def main() -> None:
    """Serve logins until the line is hung up."""
    password, login, again, asks, refusal, shell_prompt = sys.argv[1:]
    prompt = login
    while True:
        user = ask(f"\n{prompt}")
        if not user and prompt == login:
            continue  # to login, unlike to getty, an empty name is a name
        if ask(asks, echo=False) != password:
            show(f"\n{refusal}\n")
            prompt = again
            continue
        show(f"Welcome {user}\n")
        attributes = termios.tcgetattr(0)
        subprocess.run(["sh", "-i"], check=False, env={**os.environ, "PS1": shell_prompt})
        termios.tcsetattr(0, termios.TCSADRAIN, attributes)  # as getty leaves no terminal as it was
        prompt = login


main()
