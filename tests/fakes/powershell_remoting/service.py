"""WS-Management's operations on remote shells."""

from __future__ import annotations

import base64
import threading
from http import HTTPStatus
from uuid import UUID
from xml.etree.ElementTree import Element, SubElement

from pypsrp.shell import CommandState, SignalCode
from pypsrp.wsman import WSManAction

from tests.fakes.powershell_remoting import envelope
from tests.fakes.powershell_remoting.envelope import Request, WsmanError, element, tag
from tests.fakes.powershell_remoting.faults import Moment, strike
from tests.fakes.powershell_remoting.outbox import Outbox
from tests.fakes.powershell_remoting.runspaces import Host, Pipeline, RunspacePool

RESOURCE_URI = "http://schemas.microsoft.com/powershell/Microsoft.PowerShell"
AROUND_FRAGMENTS = 4096  # bytes of an envelope that are not fragments

ABORTED = 995  # ERROR_OPERATION_ABORTED
INVALID_ACTION = 0x80338001
RESOURCE_NOT_FOUND = 0x80338000
TIMED_OUT = 0x80338029
UNKNOWN_SHELL = 0x8033805B

OPERATIONS = {
    WSManAction.CREATE: Moment.CREATE,
    WSManAction.COMMAND: Moment.COMMAND,
    WSManAction.SEND: Moment.SEND,
    WSManAction.RECEIVE: Moment.RECEIVE,
    WSManAction.SIGNAL: Moment.SIGNAL,
    WSManAction.DELETE: Moment.DELETE,
}


class Service:
    """Answers envelopes; it keeps the pools of all clients."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._pools: dict[UUID, RunspacePool] = {}
        self._deleted: list[RunspacePool] = []
        self._lock = threading.Lock()

    def answer(self, content: bytes) -> tuple[HTTPStatus, bytes]:
        """The answer to a request; raises ConnectionError where none must follow."""
        request = envelope.read(content)
        try:
            operation = OPERATIONS.get(request.action)
            if operation is None:
                raise WsmanError(INVALID_ACTION, request.action, "wsa:ActionNotSupported")
            fault = self._host.faults.due(operation)
            if fault:
                strike(fault)
            return HTTPStatus.OK, envelope.answer(request, *self._operate(operation, request))
        except WsmanError as fault:
            return HTTPStatus.INTERNAL_SERVER_ERROR, envelope.refusal(request, fault)

    def close(self) -> None:
        """End all pools and refuse all requests."""
        with self._lock:
            pools = [*self._pools.values(), *self._deleted]
        for pool in pools:
            pool.close(ConnectionAbortedError("the server closes"))

    def join(self) -> None:
        """Wait for all scripts that run."""
        for pool in (*self._pools.values(), *self._deleted):
            pool.join()

    def _operate(self, operation: Moment, request: Request) -> list[Element]:
        match operation:
            case Moment.CREATE:
                return self._create(request)
            case Moment.COMMAND:
                return self._command(request)
            case Moment.SEND:
                return self._send(request)
            case Moment.RECEIVE:
                return self._receive(request)
            case Moment.SIGNAL:
                return self._signal(request)
            case _:
                return self._delete(request)

    def _create(self, request: Request) -> list[Element]:
        if request.resource_uri != RESOURCE_URI:
            raise WsmanError(
                RESOURCE_NOT_FOUND,
                f"no such resource: {request.resource_uri}",
                "wsa:DestinationUnreachable",
            )
        identity = request.found("rsp:Shell").attrib["ShellId"]
        pool = RunspacePool(UUID(identity), self._host)
        pool.feed(_bytes(request.found("rsp:Shell/pwsh:creationXml")))
        with self._lock:
            self._pools[UUID(identity)] = pool
        created = element("wst:ResourceCreated")
        created.append(element("wsa:Address", envelope.ANONYMOUS))
        parameters = SubElement(created, tag("wsa:ReferenceParameters"))
        parameters.append(element("wsman:ResourceURI", RESOURCE_URI))
        selectors = SubElement(parameters, tag("wsman:SelectorSet"))
        selectors.append(element("wsman:Selector", identity, Name="ShellId"))
        shell = element("rsp:Shell")
        shell.append(element("rsp:ShellId", identity))
        shell.append(element("rsp:ResourceUri", RESOURCE_URI))
        shell.append(element("rsp:InputStreams", "stdin pr"))
        shell.append(element("rsp:OutputStreams", "stdout"))
        return [created, shell]

    def _command(self, request: Request) -> list[Element]:
        pool = self._pool(request)
        identity = request.found("rsp:CommandLine").attrib["CommandId"]
        pool.add_pipeline(UUID(identity))
        pool.feed(_bytes(request.found("rsp:CommandLine/rsp:Arguments")))
        response = element("rsp:CommandResponse")
        response.append(element("rsp:CommandId", identity))
        return [response]

    def _send(self, request: Request) -> list[Element]:
        self._pool(request).feed(_bytes(request.found("rsp:Send/rsp:Stream")))
        return [element("rsp:SendResponse")]

    def _receive(self, request: Request) -> list[Element]:
        pool = self._pool(request)
        wanted = request.found("rsp:Receive/rsp:DesiredStream").get("CommandId")
        outbox: Outbox = self._pipeline(pool, wanted).outbox if wanted else pool.outbox
        fetched = outbox.fetch(request.largest_answer - AROUND_FRAGMENTS, request.timeout)
        if fetched is None:
            raise WsmanError(
                TIMED_OUT, f"nothing came within {request.timeout} s", "wsman:TimedOut"
            )
        of_command = {"CommandId": wanted} if wanted else {}
        response = element("rsp:ReceiveResponse")
        for fragment in fetched.fragments:
            text = base64.b64encode(fragment).decode()
            response.append(element("rsp:Stream", text, Name="stdout", **of_command))
        if wanted:
            state = CommandState.DONE if fetched.last else CommandState.RUNNING
            response.append(element("rsp:CommandState", State=state, **of_command))
        return [response]

    def _signal(self, request: Request) -> list[Element]:
        pool = self._pool(request)
        pipeline = self._pipeline(pool, request.found("rsp:Signal").attrib["CommandId"])
        match request.found("rsp:Signal/rsp:Code").text:
            case SignalCode.TERMINATE:
                pool.forget(pipeline)
            case SignalCode.PS_CTRL_C:
                pool.stop(pipeline)
            case code:
                raise NotImplementedError(f"signal {code}")
        return [element("rsp:SignalResponse")]

    def _delete(self, request: Request) -> list[Element]:
        pool = self._pool(request)
        with self._lock:
            self._deleted.append(self._pools.pop(UUID(request.shell_id)))
        pool.close(WsmanError(ABORTED, "the shell was deleted"))
        return []

    def _pool(self, request: Request) -> RunspacePool:
        with self._lock:
            pool = self._pools.get(UUID(request.shell_id))
        if pool is None:
            raise WsmanError(
                UNKNOWN_SHELL, f"no such shell: {request.shell_id}", "wsman:InvalidSelectors"
            )
        return pool

    @staticmethod
    def _pipeline(pool: RunspacePool, identity: str) -> Pipeline:
        pipeline = pool.pipelines.get(UUID(identity))
        if pipeline is None:
            raise WsmanError(
                UNKNOWN_SHELL, f"no such command: {identity}", "wsman:InvalidSelectors"
            )
        return pipeline


def _bytes(encoded: Element) -> bytes:
    return base64.b64decode(encoded.text or "")
