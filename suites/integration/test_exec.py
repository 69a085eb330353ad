"""integration.exec: commands through the service, with exactly their output and exit status."""

import hashlib
import secrets

import pytest

from harness.channels.base import CommandNotStartedError, CommandTimeoutError
from harness.guests.guest import Guest
from harness.hypervisors.facets.agent import AGENT
from harness.integration.contract import IntegrationServices
from harness.oracles.control import control
from harness.plugin.markers import cost, feature, only_on, read_only, requires
from harness.profiles.model import System

pytestmark = requires(AGENT)

MEBIBYTE = 1024 * 1024

NOTHING_ELSE = "Windows' programs hardly start with a single environment variable"

ONE_LINE = "Windows passes a program one line of text, which each parses in its own way"


@feature("integration.exec")
@read_only
def test_exit_status_and_both_streams(guest: Guest, integration: IntegrationServices) -> None:
    """Exit status, output and errors arrive separately."""
    word = secrets.token_hex(6)

    result = integration.exec.execute(
        guest.os.programs.saying(f"out-{word}", f"err-{word}", status=42)
    )

    assert result.exit_status == 42
    assert result.output == f"out-{word}\n".encode()
    assert result.errors == f"err-{word}\n".encode()
    assert integration.exec.execute(guest.os.programs.succeeding()).exit_status == 0


@feature("integration.exec")
@read_only
@cost(20)
def test_a_mebibyte_of_output_arrives_whole(guest: Guest, integration: IntegrationServices) -> None:
    """One MiB of random bytes arrives unchanged, by the guest's own digest."""
    result = integration.exec.execute(guest.os.programs.random_mebibyte())

    assert len(result.output) == MEBIBYTE
    assert hashlib.sha256(result.output).hexdigest() == result.error_text.split()[0]


@feature("integration.exec")
@only_on(System.LINUX, System.FREEBSD, because=ONE_LINE)
@read_only
def test_text_that_is_not_ascii_arrives(integration: IntegrationServices) -> None:
    """Arguments, input and output may hold any text and any byte."""
    text = "Grüße, Ωμέγα, 日本語, 🦉"
    every_byte = bytes(range(256))

    assert integration.exec.run(["printf", "%s", text]).output == text.encode()
    assert integration.exec.run(["cat"], stdin=every_byte).output == every_byte


@feature("integration.exec")
@read_only
@cost(20)
def test_a_command_that_takes_too_long_is_killed(
    guest: Guest, integration: IntegrationServices
) -> None:
    """At the timeout the command is killed in the guest, and the service keeps answering."""
    name = f"/proc/self/{secrets.token_hex(4)}"
    with control():
        assert not guest.os.background.runs(name), "it ran before it was started"

    with pytest.raises(CommandTimeoutError):
        integration.exec.execute(guest.os.programs.lasting(name), seconds=1)

    assert not guest.os.background.runs(name), "the killed command still runs in the guest"
    assert integration.exec.execute(guest.os.programs.saying("alive", "", status=0)).text == "alive"


@feature("integration.exec")
@only_on(System.LINUX, System.FREEBSD, because=NOTHING_ELSE)
@read_only
def test_environment_arrives(integration: IntegrationServices) -> None:
    """Variables that the host gives are the command's environment."""
    value = f"a b\t'{secrets.token_hex(4)}' $HOME"

    result = integration.exec.run(["printenv", "GUESTCERT"], environment={"GUESTCERT": value})

    assert result.text == value
    assert integration.exec.run(["printenv", "GUESTCERT"]).exit_status != 0


@feature("integration.exec")
@only_on(System.LINUX, System.FREEBSD, because=ONE_LINE)
@read_only
def test_nothing_is_interpreted_by_a_shell(integration: IntegrationServices) -> None:
    """Arguments reach the program unchanged; only an explicit shell expands them."""
    tempting = "$HOME; echo `id` > /dev/null && $(reboot) * ~"

    assert integration.exec.run(["printf", "%s", tempting]).text == tempting
    with control():  # an explicit shell does expand
        expanded = integration.exec.run(["sh", "-c", "echo $((6 * 7))"])
        assert expanded.text == "42"


@feature("integration.exec")
@read_only
def test_a_missing_program_is_an_error(guest: Guest, integration: IntegrationServices) -> None:
    """A missing program is refused with an error, not with an empty success."""
    with pytest.raises(CommandNotStartedError):
        integration.exec.run([f"/nowhere/{secrets.token_hex(4)}"])

    with control():
        assert integration.exec.execute(guest.os.programs.succeeding()).exit_status == 0
