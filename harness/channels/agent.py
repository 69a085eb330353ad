"""The QEMU guest agent's protocol: JSON commands and answers over an injected transport.

The commands are those of QEMU's guest agent protocol reference (qga/qapi-schema.json).
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from harness.channels.base import (
    CommandNotStartedError,
    CommandResult,
    CommandTimeoutError,
    is_exit_status,
    is_integer,
)
from harness.errors import ChannelError
from harness.waiting import SYSTEM_CLOCK, Clock, Deadline, NotYet, wait_until

ANSWER_LIMIT = 48 * 1024 * 1024
"""Characters; the agent limits captured output to 16 MiB a stream, a third more in base64."""

MOST_COMMANDS = 1000
COMMAND_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}")

LARGEST_PID = 2**63 - 1
LAST_SIGNAL = 127

QUICK_SECONDS = 30.0
"""Time limit of an agent command that does no work, in seconds."""


KILL_TREE = """tree() {
    kill -STOP "$1"
    for child in $(cat "/proc/$1/task/"*/children); do tree "$child"; done
    kill -KILL "$1"
}
tree "$1" 2>/dev/null"""
"""Kills a process tree; stops each process first, so that it cannot start another meanwhile."""


def kill_by_shell(process: int) -> Sequence[str]:
    """The program that kills a process tree, on systems with a shell and /proc."""
    return ["/bin/sh", "-c", KILL_TREE, "sh", str(process)]


def kill_by_taskkill(process: int) -> Sequence[str]:
    """The program that kills a process tree on Windows."""
    return ["taskkill.exe", "/T", "/F", "/PID", str(process)]


@dataclass(frozen=True)
class AgentPlatform:
    """The parts of the agent protocol that differ by operating system."""

    kill: Callable[[int], Sequence[str]]  # the program that kills a process tree
    probe: tuple[str, ...]  # a program that every such system has, without side effects
    least_signal: int


POSIX = AgentPlatform(kill_by_shell, ("true",), least_signal=1)

WINDOWS = AgentPlatform(kill_by_taskkill, ("cmd.exe", "/d", "/c", "ver"), least_signal=-(2**30))
"""On Windows the agent reports an exit status of at least 0xC0000000 as a signal, and signed.

Source: qga/commands.c, qmp_guest_exec_status.
"""


@dataclass(frozen=True)
class AgentCommands:
    """An agent's commands by its policy: `--block-rpcs` and `--allow-rpcs`."""

    allowed: frozenset[str]
    blocked: frozenset[str]


class AgentTransport(Protocol):
    """Sends one JSON command to the agent and returns its JSON answer."""

    def __call__(self, command: str, *, timeout: float) -> str:
        """Raises ChannelError if no agent answers within `timeout` seconds."""
        ...


class AgentChannel:
    """Runs commands through the guest agent."""

    def __init__(
        self,
        transport: AgentTransport,
        clock: Clock = SYSTEM_CLOCK,
        *,
        platform: AgentPlatform = POSIX,
    ) -> None:
        self._transport = transport
        self._clock = clock
        self._platform = platform

    def call(
        self, command: str, arguments: Mapping[str, object] | None = None, *, timeout: float
    ) -> Any:
        """Send one command; return the answer's `return` value, of any type."""
        request: dict[str, object] = {"execute": command}
        if arguments is not None:
            request["arguments"] = dict(arguments)
        answer = self._transport(json.dumps(request), timeout=timeout)
        return _returned(command, answer)

    def answers(self, *, timeout: float = 5.0) -> bool:
        """Whether the agent answers a ping within `timeout` seconds."""
        try:
            self.call("guest-ping", timeout=timeout)
        except ChannelError:
            return False
        return True

    def executes(self, *, timeout: float) -> bool:
        """Whether the agent ran a program: an agent that answers a ping may refuse to."""
        try:
            return self.run(self._platform.probe, timeout=timeout).exit_status == 0
        except ChannelError:
            return False

    def commands(self, *, timeout: float) -> AgentCommands:
        """The agent's commands and policy. Raises ChannelError if it does not list them."""
        info = self.call("guest-info", timeout=timeout)
        listed = info.get("supported_commands") if isinstance(info, dict) else None
        if not isinstance(listed, list) or len(listed) > MOST_COMMANDS:
            raise ChannelError("the agent's answer to guest-info lists no commands")
        states: dict[bool, set[str]] = {True: set(), False: set()}
        for entry in listed:
            name, enabled = (
                (entry.get("name"), entry.get("enabled")) if isinstance(entry, dict) else (None, 0)
            )
            if not isinstance(name, str) or not COMMAND_NAME.fullmatch(name):
                raise ChannelError("the agent's list of commands has one without a name")
            if not isinstance(enabled, bool):
                raise ChannelError(f"the agent's list does not record whether {name} is enabled")
            states[enabled].add(name)
        return AgentCommands(frozenset(states[True]), frozenset(states[False]))

    def run(
        self,
        arguments: Sequence[str],
        *,
        stdin: bytes = b"",
        environment: Mapping[str, str] | None = None,
        timeout: float,
    ) -> CommandResult:
        """Run a program in the guest. See CommandChannel.

        Raises CommandNotStartedError if the guest cannot start it, and CommandTimeoutError after
        killing a program that did not end in time.
        """
        pid = self._start(arguments, stdin, environment)
        deadline = Deadline(timeout, self._clock)
        try:
            status = wait_until(
                lambda: self._ended(pid),
                awaited=f"`{_shown(arguments)}` to end",
                deadline=deadline,
                interval=0.05,
                longest=1.0,  # the agent logs every command, which costs the guest time
                error=CommandTimeoutError,
            )
        except CommandTimeoutError:
            self._kill(pid)
            raise
        return self._result(arguments, status)

    def _start(
        self, arguments: Sequence[str], stdin: bytes, environment: Mapping[str, str] | None
    ) -> int:
        request: dict[str, object] = {
            "path": arguments[0],
            "arg": list(arguments[1:]),
            "capture-output": True,
        }
        if stdin:
            request["input-data"] = base64.b64encode(stdin).decode()
        if environment is not None:
            request["env"] = [f"{name}={value}" for name, value in environment.items()]
        try:
            answer = self.call("guest-exec", request, timeout=QUICK_SECONDS)
        except ChannelError as error:
            if "xecute child process" in str(error):  # GLib's words for a failed exec
                raise CommandNotStartedError(
                    f"the guest could not start `{_shown(arguments)}`: {error}"
                ) from error
            raise
        pid = answer.get("pid") if isinstance(answer, dict) else None
        if not is_integer(pid, 0, LARGEST_PID):
            raise ChannelError(f"the agent gave no process id for `{_shown(arguments)}`")
        return pid

    def _ended(self, pid: int) -> Mapping[str, Any]:
        status = self.call("guest-exec-status", {"pid": pid}, timeout=QUICK_SECONDS)
        if not isinstance(status, dict) or not isinstance(status.get("exited"), bool):
            raise ChannelError("the agent's answer to guest-exec-status has no `exited`")
        if not status["exited"]:
            raise NotYet("it still running")
        return status

    def _kill(self, pid: int) -> None:
        """Kill the program and its children, which would keep its output open.

        The agent has no command for that, so another program does it.
        """
        killer = self._start(self._platform.kill(pid), b"", None)
        for awaited, child in (("kill to end", killer), ("the killed program to end", pid)):
            wait_until(
                lambda child=child: self._ended(child),  # type: ignore[misc]
                awaited=awaited,
                deadline=Deadline(QUICK_SECONDS, self._clock),
                interval=0.1,
                error=ChannelError,
            )

    def _result(self, arguments: Sequence[str], status: Mapping[str, Any]) -> CommandResult:
        exit_status = self._exit_status(status)
        if exit_status is None:
            seen = ", ".join(f"{key} {_bounded(status.get(key))}" for key in ("exitcode", "signal"))
            raise ChannelError(
                f"the agent reported an impossible end of `{_shown(arguments)}`: {seen}"
            )
        if any(status.get(key, False) is not False for key in ("out-truncated", "err-truncated")):
            raise ChannelError(
                f"the agent cut the output of `{_shown(arguments)}`: it was too long"
            )
        return CommandResult(
            tuple(arguments),
            exit_status,
            _decoded(status.get("out-data", "")),
            _decoded(status.get("err-data", "")),
        )

    def _exit_status(self, status: Mapping[str, Any]) -> int | None:
        """The exit status; after a signal, as shells report it."""
        if "signal" not in status:
            exit_status = status.get("exitcode")
            return exit_status if is_exit_status(exit_status) else None
        signal = status["signal"]
        if not is_integer(signal, self._platform.least_signal, LAST_SIGNAL) or signal == 0:
            return None
        return 128 + signal if signal > 0 else signal & 0xFFFFFFFF


def _returned(command: str, answer: str) -> Any:
    if len(answer) > ANSWER_LIMIT:
        raise ChannelError(
            f"the agent's answer to {command} has {len(answer)} characters, "
            f"more than {ANSWER_LIMIT} are not read"
        )
    try:
        document = json.loads(answer)
    except (ValueError, RecursionError) as error:
        raise ChannelError(
            f"the agent's answer to {command} is not JSON: {answer[:80]!r}"
        ) from error
    if not isinstance(document, dict) or "return" not in document:
        raise ChannelError(f"the agent refused {command}: {json.dumps(document)[:300]}")
    return document["return"]


def _decoded(data: object) -> bytes:
    try:
        if not isinstance(data, str):
            raise ValueError("it is not a text")
        return base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ChannelError(f"the agent's output is not base64: {_bounded(data)}") from error


def _bounded(value: object) -> str:
    return json.dumps(value)[:40]


def _shown(arguments: Sequence[str]) -> str:
    return " ".join(arguments)[:120]
