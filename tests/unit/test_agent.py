"""The guest agent's channel over a scripted agent: an agent is a guest, and never trusted."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from harness.channels.agent import ANSWER_LIMIT, WINDOWS, AgentChannel
from harness.channels.base import CommandNotStartedError, CommandTimeoutError
from harness.errors import ChannelError
from harness.waiting import JumpingClock

Answer = Callable[[dict[str, Any]], str]


@dataclass
class ScriptedAgent:
    """Gives scripted answers, and records the commands."""

    answer: Answer
    asked: list[dict[str, Any]] = field(default_factory=list)

    def __call__(self, command: str, *, timeout: float) -> str:
        request = json.loads(command)
        self.asked.append(request)
        return self.answer(request)

    def channel(self) -> AgentChannel:
        return AgentChannel(self, JumpingClock())


def saying(text: str) -> AgentChannel:
    return ScriptedAgent(lambda _: text).channel()


def ends_with(**status: object) -> Answer:
    def answer(request: dict[str, Any]) -> str:
        if request["execute"] == "guest-exec":
            return json.dumps({"return": {"pid": 7}})
        return json.dumps({"return": {"exited": True, **status}})

    return answer


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def test_a_command_brings_status_and_both_streams() -> None:
    agent = ScriptedAgent(
        ends_with(**{"exitcode": 3, "out-data": encoded(b"\xff\x00"), "err-data": encoded(b"e\n")})
    )
    result = agent.channel().run(["prog", "a b"], timeout=5, stdin=b"in", environment={"A": "1"})
    assert (result.exit_status, result.output, result.error_text) == (3, b"\xff\x00", "e")
    arguments = agent.asked[0]["arguments"]
    assert arguments["path"] == "prog"
    assert arguments["arg"] == ["a b"]
    assert arguments["env"] == ["A=1"]
    assert base64.b64decode(arguments["input-data"]) == b"in"


def test_a_signal_is_told_as_shells_do() -> None:
    result = ScriptedAgent(ends_with(signal=9)).channel().run(["prog"], timeout=5)
    assert result.exit_status == 137


def test_an_exception_on_windows_is_its_status() -> None:
    agent = ScriptedAgent(ends_with(signal=-1073741819))
    result = AgentChannel(agent, JumpingClock(), platform=WINDOWS).run(["prog"], timeout=5)
    assert result.exit_status == 0xC0000005


def test_a_command_that_takes_too_long_is_killed() -> None:
    killed: list[str] = []

    def answer(request: dict[str, Any]) -> str:
        if request["execute"] == "guest-exec":
            path = request["arguments"]["path"]
            if path == "/bin/sh":
                killed.append(request["arguments"]["arg"][-1])
            return json.dumps({"return": {"pid": 8 if path == "/bin/sh" else 7}})
        exited = bool(killed)
        return json.dumps({"return": {"exited": exited, "exitcode": 0}})

    with pytest.raises(CommandTimeoutError, match="waited 5 s for `sleep 99` to end"):
        ScriptedAgent(answer).channel().run(["sleep", "99"], timeout=5)
    assert killed == ["7"]


def test_a_missing_program_is_told_apart() -> None:
    refusal = json.dumps(
        {"error": {"desc": 'Guest agent command failed: Failed to execute child process "x"'}}
    )
    with pytest.raises(CommandNotStartedError):
        saying(refusal).run(["x"], timeout=5)


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "no json",
        "[" * 100_000,
        "[]",
        '{"error": {"desc": "refused"}}',
        '{"return": {"pid": "seven"}}',
        '{"return": {"pid": true}}',
        '{"return": {"pid": -1}}',
        '{"return": {"pid": 1' + "0" * 3999 + "}}",
        '{"return": {"pid": 1' + "0" * 9999 + "}}",
        '{"return": 5}',
        '{"return": null}',
        '"' + "x" * ANSWER_LIMIT + '"',
    ],
    ids=[
        "empty",
        "text",
        "nested",
        "list",
        "error",
        "text pid",
        "true pid",
        "negative pid",
        "great pid",
        "endless pid",
        "number",
        "null",
        "huge",
    ],
)
def test_a_malformed_answer_is_a_channel_error(answer: str) -> None:
    with pytest.raises(ChannelError):
        saying(answer).run(["prog"], timeout=5)


@pytest.mark.parametrize(
    "status",
    [
        {"exitcode": "0"},
        {},
        {"exitcode": 0, "out-data": "%%%"},
        {"exitcode": 0, "out-truncated": True},
        {"exitcode": 0, "err-truncated": "no"},
        {"exitcode": True},
        {"exitcode": 10**3999},
        {"exitcode": 0.0},
        {"signal": -9},
        {"signal": 0, "exitcode": 0},
        {"signal": True},
        {"signal": None, "exitcode": 0},
        {"signal": 10**3999},
        {"exitcode": 0, "out-data": None},
        {"exitcode": 0, "out-data": 1234},
        {"exitcode": 0, "err-data": ["aaaa"]},
    ],
    ids=str,
)
def test_a_result_that_can_not_be_believed_is_a_channel_error(status: dict[str, object]) -> None:
    with pytest.raises(ChannelError):
        ScriptedAgent(ends_with(**status)).channel().run(["prog"], timeout=5)


def listing(*commands: object) -> AgentChannel:
    return saying(json.dumps({"return": {"version": "8.2.0", "supported_commands": commands}}))


def test_the_policy_is_read_from_the_agent_s_own_list() -> None:
    ping, run = {"name": "guest-ping", "enabled": True}, {"name": "guest-exec", "enabled": False}
    commands = listing(ping, run).commands(timeout=5)
    assert commands.allowed == {"guest-ping"}
    assert commands.blocked == {"guest-exec"}


@pytest.mark.parametrize(
    "entry",
    [7, {}, {"name": "guest-exec"}, {"name": "guest-exec", "enabled": 1}, {"name": "a b"}, None],
    ids=str,
)
def test_a_malformed_list_of_commands_is_a_channel_error(entry: object) -> None:
    with pytest.raises(ChannelError):
        listing(entry).commands(timeout=5)


def test_a_ping_is_no_proof_that_it_executes() -> None:
    assert ScriptedAgent(ends_with(exitcode=0)).channel().executes(timeout=5)
    assert not ScriptedAgent(ends_with(exitcode=1)).channel().executes(timeout=5)
    assert not saying('{"return": {}}').executes(timeout=5)


def test_it_answers_only_where_the_ping_returns() -> None:
    assert saying('{"return": {}}').answers()
    assert not saying('{"error": {}}').answers()
