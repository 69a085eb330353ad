"""The QEMU guest agent's protocol: JSON commands and answers over a transport given by others.

The commands are those of QEMU's guest agent protocol reference (qga/qapi-schema.json).
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from harness.channels.base import CommandNotStartedError, CommandResult, CommandTimeoutError
from harness.errors import ChannelError
from harness.waiting import SYSTEM_CLOCK, Clock, Deadline, NotYet, wait_until

ANSWER_LIMIT = 48 * 1024 * 1024
"""Characters; the agent itself caps captured output at 16 MiB a stream, a third more in base64."""

QUICK_SECONDS = 30.0
"""How long the agent may take over a command that does no work of its own."""


KILL_TREE = """tree() {
    kill -STOP "$1"
    for child in $(cat "/proc/$1/task/"*/children); do tree "$child"; done
    kill -KILL "$1"
}
tree "$1" 2>/dev/null"""
"""Kills a process and all below it: stopped first, so that none starts another meanwhile."""


def kill_by_shell(process: int) -> Sequence[str]:
    """The program that kills a process and all below it, where there are a shell and /proc."""
    return ["/bin/sh", "-c", KILL_TREE, "sh", str(process)]


def kill_by_taskkill(process: int) -> Sequence[str]:
    """The program that kills a process and all below it on Windows."""
    return ["taskkill.exe", "/T", "/F", "/PID", str(process)]


class AgentTransport(Protocol):
    """Carries one JSON command to the agent and brings its JSON answer."""

    def __call__(self, command: str, *, timeout: float) -> str:
        """Raises ChannelError where no agent answers within `timeout` seconds."""
        ...


class AgentChannel:
    """Runs commands through the guest agent."""

    def __init__(
        self,
        transport: AgentTransport,
        clock: Clock = SYSTEM_CLOCK,
        *,
        kill: Callable[[int], Sequence[str]] = kill_by_shell,
    ) -> None:
        self._transport = transport
        self._clock = clock
        self._killer = kill

    def call(
        self, command: str, arguments: Mapping[str, object] | None = None, *, timeout: float
    ) -> Any:
        """Send one command; return what stands under `return`, of whatever type it is."""
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

    def run(
        self,
        arguments: Sequence[str],
        *,
        stdin: bytes = b"",
        environment: Mapping[str, str] | None = None,
        timeout: float,
    ) -> CommandResult:
        """Run a program in the guest. See CommandChannel.

        Raises CommandNotStartedError where the guest cannot start it, and CommandTimeoutError
        after killing a program that did not end in time.
        """
        pid = self._start(arguments, stdin, environment)
        deadline = Deadline(timeout, self._clock)
        try:
            status = wait_until(
                lambda: self._ended(pid),
                awaited=f"`{_shown(arguments)}` to end",
                deadline=deadline,
                interval=0.05,
                longest=1.0,  # the agent logs every question, which costs the guest time and log
                error=CommandTimeoutError,
            )
        except CommandTimeoutError:
            self._kill(pid)
            raise
        return _result(arguments, status)

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
        if not isinstance(pid, int):
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
        """Kill the program and what it has started, which would keep its output open.

        The agent has no command for it, so another program does it.
        """
        killer = self._start(self._killer(pid), b"", None)
        for awaited, child in (("kill to end", killer), ("the killed program to end", pid)):
            wait_until(
                lambda child=child: self._ended(child),  # type: ignore[misc]
                awaited=awaited,
                deadline=Deadline(QUICK_SECONDS, self._clock),
                interval=0.1,
                error=ChannelError,
            )


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
            f"the agent's answer to {command} is no JSON: {answer[:80]!r}"
        ) from error
    if not isinstance(document, dict) or "return" not in document:
        raise ChannelError(f"the agent refused {command}: {json.dumps(document)[:300]}")
    return document["return"]


def _result(arguments: Sequence[str], status: Mapping[str, Any]) -> CommandResult:
    signal = status.get("signal")
    exit_status = status.get("exitcode")
    if isinstance(signal, int):
        exit_status = 128 + signal  # as shells say it
    if not isinstance(exit_status, int):
        raise ChannelError(f"the agent told no exit status of `{_shown(arguments)}`")
    if status.get("out-truncated") or status.get("err-truncated"):
        raise ChannelError(f"the agent cut the output of `{_shown(arguments)}`: it was too long")
    return CommandResult(
        tuple(arguments),
        exit_status,
        _decoded(status.get("out-data", "")),
        _decoded(status.get("err-data", "")),
    )


def _decoded(data: object) -> bytes:
    try:
        return base64.b64decode(str(data), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ChannelError(f"the agent's output is no base64: {str(data)[:40]!r}") from error


def _shown(arguments: Sequence[str]) -> str:
    return " ".join(arguments)[:120]
