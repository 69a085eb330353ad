"""Conversion between CLIXML and a script's input and output, with pypsrp's serializer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

from defusedxml.ElementTree import fromstring
from pypsrp.complex_objects import (
    ComplexObject,
    GenericComplexObject,
    ObjectMeta,
    PSInvocationState,
)
from pypsrp.messages import (
    CreatePipeline,
    ErrorRecordMessage,
    InitRunspacePool,
    PipelineOutput,
    PipelineState,
    WarningRecord,
)
from pypsrp.serializer import Serializer, TaggedValue

from tests.fakes.powershell_remoting.fragments import Content
from tests.fakes.powershell_remoting.script import ErrorRecord, Reply

Readable = TypeVar("Readable", bound=ComplexObject)


def _without_console(content: ComplexObject) -> None:
    # pypsrp's HostInfo is made for sending and cannot be read.
    anything = ObjectMeta("ObjDynamic", name="HostInfo", object=GenericComplexObject)
    content._extended_properties = tuple(
        (attribute, anything if attribute == "host_info" else meta)
        for attribute, meta in content._extended_properties
    )


class ReceivedInit(InitRunspacePool):
    """INIT_RUNSPACEPOOL, as a server reads it."""

    def __init__(self) -> None:
        super().__init__()
        _without_console(self)


class ReceivedPipeline(CreatePipeline):
    """CREATE_PIPELINE, as a server reads it."""

    def __init__(self) -> None:
        super().__init__()
        _without_console(self)


def read_message(payload: bytes, kind: type[Readable], serializer: Serializer) -> Readable:
    """The content of a message that is of a known kind."""
    content = serializer.deserialize(fromstring(payload), ObjectMeta("Obj", object=kind))
    assert isinstance(content, kind)
    return content


def read_object(payload: bytes, serializer: Serializer) -> object:
    """One object that was piped in."""
    value: object = serializer.deserialize(fromstring(payload))
    return value


def messages(reply: Reply) -> Iterator[Content]:
    """The messages of a reply for the client, in PowerShell's order."""
    for text in reply.warnings:
        yield WarningRecord(message=text)
    for value in reply.output:
        yield PipelineOutput(_encodable(value))
    for error in reply.errors:
        yield _error(error)
    if reply.failure is None:
        yield PipelineState(PSInvocationState.COMPLETED)
    else:
        yield PipelineState(PSInvocationState.FAILED, _error(reply.failure))


def _encodable(value: object) -> object:
    match value:
        case None | bool() | bytes():
            return value
        case str():
            return str(value)
        case int():
            return _number(int(value))
        case float():
            return TaggedValue("Db", value)
        case Mapping():
            return {_encodable(key): _encodable(item) for key, item in value.items()}
        case Sequence():
            return [_encodable(item) for item in value]
        case _:
            raise TypeError(f"PowerShell has no {type(value).__name__}: {value!r}")


def _number(value: int) -> object:
    for bits in (32, 64):
        if -(1 << (bits - 1)) <= value < 1 << (bits - 1):
            return TaggedValue(f"I{bits}", value)
    raise TypeError(f"PowerShell has no integer as large as {value}")


def _error(error: ErrorRecord) -> ErrorRecordMessage:
    exception = GenericComplexObject()
    exception.types = [error.exception, "System.Exception", "System.Object"]
    exception.to_string = f"{error.exception}: {error.message}"
    exception.adapted_properties = {
        "Message": error.message,
        "HResult": (error.hresult ^ 1 << 31) - (1 << 31),  # .NET's are signed
    }
    reason = error.exception.rpartition(".")[2]
    target_type = "String" if error.target else ""
    record = ErrorRecordMessage(
        exception=exception,
        invocation=False,
        fq_error=error.error_id,
        category=int(error.category),
        activity=error.activity,
        reason=reason,
        target_name=error.target,
        target_type=target_type,
        message=f"{error.category.shown}: ({error.target}:{target_type})"
        f" [{error.activity}], {reason}",
    )
    # pypsrp writes these and does not set them.
    vars(record).update(target_object=None, invocation_info=None, script_stacktrace=None)
    record.extended_info_present = False
    record._to_string = error.message  # type: ignore[assignment]  # pypsrp means text or None
    return record
