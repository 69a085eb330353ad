"""The documentation matches the code: schema, commands, options and features."""

from __future__ import annotations

import re
from collections.abc import Iterator
from unittest.mock import Mock

import pytest
import typer.main
from typer.testing import CliRunner

from docs.features_hook import on_page_markdown
from harness.cli import app
from harness.features.catalogue import load_catalogue
from harness.plugin.options import add_options
from harness.profiles.places import project_root

REFERENCE = project_root() / "docs" / "reference"
COMMAND_LINE = (REFERENCE / "command-line.md").read_text(encoding="utf-8")
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")


def commands() -> Iterator[tuple[str, frozenset[str]]]:
    """Every command that does something, with its long options; the first is `guestcert` itself."""
    top = typer.main.get_command(app)
    todo = [("guestcert", top)]
    while todo:
        name, command = todo.pop(0)
        parameters = [option for param in command.params for option in param.opts]
        below = getattr(command, "commands", {})
        if not below or command is top:
            yield name, frozenset(option for option in parameters if option.startswith("--"))
        todo += [(f"{name} {word}", below[word]) for word in below]


def of_the_plugin() -> frozenset[str]:
    parser = Mock(spec=pytest.Parser)
    add_options(parser)
    calls = parser.getgroup.return_value.addoption.call_args_list
    return frozenset(call.args[0] for call in calls)


def known_to_pytest(config: pytest.Config, option: str) -> bool:
    try:
        config.getoption(option)
    except ValueError:
        return False
    return True


def section(title: str) -> str:
    """What stands under a title of the page, up to the next one."""
    return COMMAND_LINE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def in_table(text: str) -> frozenset[str]:
    """The long options in the first column of the tables."""
    rows = [line.split(" | ")[0] for line in text.splitlines() if line.startswith("| ")]
    return frozenset(option for row in rows for option in OPTION.findall(row))


COMMANDS = dict(commands())


def test_the_schema_of_profiles_is_what_the_code_produces() -> None:
    produced = CliRunner().invoke(app, ["profiles", "schema"])
    assert produced.exit_code == 0
    kept = (REFERENCE / "profile.schema.json").read_text(encoding="utf-8")
    assert kept == produced.output, "run: guestcert profiles schema > that file"


def test_there_are_commands_and_options_to_look_for() -> None:
    # The control: what finds nothing holds of everything.
    assert {"guestcert certify", "guestcert clean", "guestcert profiles schema"} <= set(COMMANDS)
    assert {"--suite", "--image", "--reports"} <= COMMANDS["guestcert certify"]
    assert {"--guest", "--variant", "--run-id"} <= of_the_plugin()


@pytest.mark.parametrize("command", [name for name in COMMANDS if name != "guestcert"])
def test_every_command_is_told(command: str) -> None:
    assert re.search(rf"^\| `{command}[ `]", section("Commands"), re.MULTILINE)


def test_no_other_command_is_told() -> None:
    reported = re.findall(r"^\| `(guestcert [a-z ]*[a-z])", section("Commands"), re.MULTILINE)
    assert sorted(reported) == sorted(set(COMMANDS) - {"guestcert"})


def test_every_option_of_certify_is_told_and_no_other() -> None:
    assert in_table(section("certify")) == COMMANDS["guestcert certify"]


def test_every_option_of_every_command_is_told() -> None:
    known = frozenset().union(*COMMANDS.values())
    assert known - set(OPTION.findall(COMMAND_LINE)) == set()


def test_every_option_of_the_plugin_is_told_and_no_other() -> None:
    assert in_table(section("Plain pytest")) == of_the_plugin()


def test_every_option_that_is_told_is_known(pytestconfig: pytest.Config) -> None:
    assert not known_to_pytest(pytestconfig, "--no-such-option")
    known = frozenset({"--help"}).union(of_the_plugin(), *COMMANDS.values())
    reported = set(OPTION.findall(COMMAND_LINE)) - known
    assert [
        option for option in sorted(reported) if not known_to_pytest(pytestconfig, option)
    ] == []


def test_every_feature_is_told() -> None:
    page = on_page_markdown((REFERENCE / "features.md").read_text(encoding="utf-8"))
    reported = re.findall(r"^\| `([a-z0-9_.]+)`", page, re.MULTILINE)
    assert reported == [feature.id for feature in load_catalogue()]
