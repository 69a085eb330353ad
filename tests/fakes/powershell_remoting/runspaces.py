"""Pools of runspaces, and the pipelines that run in them."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from pypsrp.complex_objects import Command, PSInvocationState, RunspacePoolState
from pypsrp.messages import (
    ApplicationPrivateData,
    EncryptedSessionKey,
    MessageType,
    PipelineState,
    PublicKey,
    RunspacePoolStateMessage,
    SessionCapability,
)
from pypsrp.serializer import Serializer

from tests.fakes.powershell_remoting import clixml, session_key
from tests.fakes.powershell_remoting.envelope import WsmanError
from tests.fakes.powershell_remoting.faults import Faults, Hold, Moment
from tests.fakes.powershell_remoting.fragments import (
    NO_PIPELINE,
    Assembler,
    Content,
    Fragmenter,
    Received,
)
from tests.fakes.powershell_remoting.outbox import Outbox
from tests.fakes.powershell_remoting.script import ScriptedShell

PROTOCOL_VERSION = "2.3"  # since Windows Server 2016
PS_VERSION = "2.0"  # whatever the real one is
SERIALIZATION_VERSION = "1.1.0.1"
PROVIDER_FAILURE = 0x80338003


@dataclass(frozen=True)
class Host:
    """State that all pools of a server share; `broken` collects errors that a test must not miss.

    `left` has the parameters that scripts left in a runspace's global scope, with their types: a
    script runs there unless its client asks for a scope of its own.
    """

    shell: ScriptedShell
    left: set[str] = field(default_factory=set)
    faults: Faults = field(default_factory=Faults)
    broken: list[BaseException] = field(default_factory=list)


@dataclass
class Pipeline:
    """One pipeline: its input so far, and its output for the client."""

    identity: UUID
    outbox: Outbox = field(default_factory=Outbox)
    script: str = ""
    parameters: Mapping[str, object] = field(default_factory=dict)
    input: list[object] = field(default_factory=list)
    started: bool = False
    stopped: threading.Event = field(default_factory=threading.Event)


class RunspacePool:
    """A client's pool; it runs as many pipelines at a time as the client requests."""

    def __init__(self, identity: UUID, host: Host) -> None:
        self.outbox = Outbox()
        self.pipelines: dict[UUID, Pipeline] = {}
        self._host = host
        self._assembler = Assembler()
        self._fragmenter = Fragmenter(identity)
        self._cipher: Any = None
        self._workers: ThreadPoolExecutor | None = None
        self._closed: Exception | None = None
        self._lock = threading.Lock()

    def feed(self, data: bytes) -> None:
        """Receive fragments from the client, and process the messages that they complete."""
        with self._lock:
            if self._closed:
                raise self._closed
            for message in self._assembler.feed(data):
                self._handle(message)

    def add_pipeline(self, identity: UUID) -> None:
        """A pipeline that the client is about to describe."""
        with self._lock:
            self.pipelines[identity] = Pipeline(identity)

    def forget(self, pipeline: Pipeline) -> None:
        """The client is done with this pipeline."""
        with self._lock:
            del self.pipelines[pipeline.identity]

    def stop(self, pipeline: Pipeline) -> None:
        """End a pipeline before its script ends; a running script's output is dropped."""
        pipeline.stopped.set()
        state = PipelineState(PSInvocationState.STOPPED)
        pipeline.outbox.put(self._cut(state, pipeline.identity), last=True)

    def close(self, reason: Exception) -> None:
        """End everything except running scripts; later requests get the reason."""
        with self._lock:
            self._closed = reason
            for outbox in (self.outbox, *(p.outbox for p in self.pipelines.values())):
                outbox.close(reason)
            if self._workers:
                self._workers.shutdown(wait=False, cancel_futures=True)

    def join(self) -> None:
        """Wait for the scripts that run, when the pool was closed."""
        if self._workers:
            self._workers.shutdown()

    def _handle(self, message: Received) -> None:
        match message.kind:
            case MessageType.SESSION_CAPABILITY:
                self._send(SessionCapability(PROTOCOL_VERSION, PS_VERSION, SERIALIZATION_VERSION))
            case MessageType.INIT_RUNSPACEPOOL:
                wish = clixml.read_message(message.payload, clixml.ReceivedInit, self._serializer())
                self._workers = ThreadPoolExecutor(wish.max_runspaces, "runspace")
                self._send(ApplicationPrivateData({}))
                self._send(RunspacePoolStateMessage(RunspacePoolState.OPENED))
            case MessageType.PUBLIC_KEY:
                key = clixml.read_message(message.payload, PublicKey, self._serializer())
                self._cipher, encrypted = session_key.exchange(key.public_key or "")
                self._send(EncryptedSessionKey(encrypted))
            case MessageType.CREATE_PIPELINE:
                self._describe(self.pipelines[message.pipeline], message.payload)
            case MessageType.PIPELINE_INPUT:
                value = clixml.read_object(message.payload, self._serializer())
                self.pipelines[message.pipeline].input.append(value)
            case MessageType.END_OF_PIPELINE_INPUT:
                self._start(self.pipelines[message.pipeline])
            case _:
                raise NotImplementedError(f"message 0x{message.kind:08X}")

    def _describe(self, pipeline: Pipeline, payload: bytes) -> None:
        wish = clixml.read_message(payload, clixml.ReceivedPipeline, self._serializer())
        commands: list[Command] = (wish.pipeline and wish.pipeline.commands) or []
        if len(commands) != 1:
            raise NotImplementedError(f"a pipeline of {len(commands)} commands")
        arguments = commands[0].args
        if not all(argument.name for argument in arguments):
            raise NotImplementedError("arguments by position")
        pipeline.script = commands[0].cmd or ""
        pipeline.parameters = {argument.name: argument.value for argument in arguments}
        if not commands[0].use_local_scope:
            self._host.left.update(pipeline.parameters)
        if wish.no_input:
            self._start(pipeline)

    def _start(self, pipeline: Pipeline) -> None:
        # pypsrp ends the input even of a pipeline without input.
        if not pipeline.started and self._workers:
            pipeline.started = True
            self._workers.submit(self._run, pipeline)

    def _run(self, pipeline: Pipeline) -> None:
        faults = self._host.faults
        fault = faults.due(Moment.RUN)
        if isinstance(fault, Hold):
            try:
                fault.wait()
            except ConnectionAbortedError:
                return
        elif fault:
            pipeline.outbox.fail_next(fault)
        if pipeline.stopped.is_set():
            return
        # Whatever goes wrong here, a test's failed assertion too, would die with this thread and
        # leave the client waiting.
        try:
            reply = self._host.shell.run(pipeline.script, pipeline.parameters, pipeline.input)
            fragments = [
                fragment
                for message in clixml.messages(reply)
                for fragment in self._cut(message, pipeline.identity)
            ]
        except BaseException as error:
            self._host.broken.append(error)
            pipeline.outbox.fail_next(WsmanError(PROVIDER_FAILURE, f"the test broke: {error!r}"))
            return
        fault = faults.due(Moment.REPLY)
        if fault:
            pipeline.outbox.fail_next(fault)
        pipeline.outbox.put(fragments, last=True)

    def _send(self, message: Content) -> None:
        self.outbox.put(self._cut(message, NO_PIPELINE))

    def _cut(self, message: Content, pipeline: UUID) -> list[bytes]:
        return self._fragmenter.cut(message, pipeline, self._serializer())

    def _serializer(self) -> Serializer:
        # One for each message: it remembers what it has written, and pipelines run side by side.
        serializer = Serializer()
        serializer.cipher = self._cipher
        return serializer
