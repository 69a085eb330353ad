"""boot.console: the serial console, its login and its shell."""

import secrets

import pytest

from harness.channels.console_login import LoginRefused
from harness.channels.console_shell import ConsoleShell
from harness.guests.guest import Guest
from harness.integration.contract import promised
from harness.oracles.control import control
from harness.plugin.markers import feature, only_on
from harness.profiles.model import System

NO_SHELL = "the console that Windows has on a serial port is not a shell with a login"


@feature("boot.console")
@only_on(System.LINUX, System.FREEBSD, because=NO_SHELL)
def test_logs_in_and_runs_a_command(guest: Guest) -> None:
    """The console offers a login, takes the right password, and runs a command."""
    guest.log_out()  # a guest without an agent is driven through it
    shell = ConsoleShell(guest.console, watches=[guest.crash_watch])
    word = secrets.token_hex(8)

    shell.log_in(guest.credentials.user, guest.credentials.password, guest.budget(20))
    with promised():
        printed = shell.run(["printf", "%s-%s", "printed", word], timeout=guest.budget(10).seconds)
        failed = shell.run(["sh", "-c", "exit 7"], timeout=guest.budget(10).seconds)

    assert (printed.exit_status, printed.text.strip()) == (0, f"printed-{word}")
    assert failed.exit_status == 7, "the exit status of a command does not arrive"


@feature("boot.console")
@only_on(System.LINUX, System.FREEBSD, because=NO_SHELL)
def test_refuses_a_wrong_password(guest: Guest) -> None:
    """A wrong password is refused, and the right one still works after it."""
    guest.log_out()
    shell = ConsoleShell(guest.console, watches=[guest.crash_watch])

    with pytest.raises(LoginRefused):
        shell.log_in(guest.credentials.user, "wrong-" + secrets.token_hex(4), guest.budget(20))

    with control():  # the very same probe, with the right password, gets in
        shell.log_in(guest.credentials.user, guest.credentials.password, guest.budget(20))
        who = shell.run(["id", "-u"], timeout=guest.budget(10).seconds)
        assert who.exit_status == 0
