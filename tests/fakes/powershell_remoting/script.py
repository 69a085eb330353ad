"""Requests to and replies of the scripted PowerShell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol


class ErrorCategory(IntEnum):
    """PowerShell's categories of errors, with .NET's numbers."""

    NOT_SPECIFIED = 0
    OPEN_ERROR = 1
    CLOSE_ERROR = 2
    DEVICE_ERROR = 3
    DEADLOCK_DETECTED = 4
    INVALID_ARGUMENT = 5
    INVALID_DATA = 6
    INVALID_OPERATION = 7
    INVALID_RESULT = 8
    INVALID_TYPE = 9
    METADATA_ERROR = 10
    NOT_IMPLEMENTED = 11
    NOT_INSTALLED = 12
    OBJECT_NOT_FOUND = 13
    OPERATION_STOPPED = 14
    OPERATION_TIMEOUT = 15
    SYNTAX_ERROR = 16
    PARSER_ERROR = 17
    PERMISSION_DENIED = 18
    RESOURCE_BUSY = 19
    RESOURCE_EXISTS = 20
    RESOURCE_UNAVAILABLE = 21
    READ_ERROR = 22
    WRITE_ERROR = 23
    FROM_STD_ERR = 24
    SECURITY_ERROR = 25
    PROTOCOL_ERROR = 26
    CONNECTION_ERROR = 27
    AUTHENTICATION_ERROR = 28
    LIMITS_EXCEEDED = 29
    QUOTA_EXCEEDED = 30
    NOT_ENABLED = 31

    @property
    def shown(self) -> str:
        """As PowerShell writes it: ObjectNotFound."""
        return self.name.title().replace("_", "")


@dataclass(frozen=True)
class ErrorRecord:
    """An error as PowerShell records it."""

    message: str
    category: ErrorCategory = ErrorCategory.NOT_SPECIFIED
    error_id: str = "NotSpecified"  # the fully qualified one, with the command's class
    exception: str = "System.Management.Automation.RuntimeException"  # the type's name
    hresult: int = 0x80131501  # as Windows writes it, 0x80070050; this one is .NET's for any error
    activity: str = ""  # the cmdlet
    target: str = ""


@dataclass(frozen=True)
class Reply:
    """Reply of a script: objects for the pipeline, records, and its end.

    An object is text, a number, a truth value, bytes, None, or a mapping or a list of these. pypsrp
    does not read a mapping inside a list; JSON does not have that trouble.
    """

    output: Sequence[object] = ()
    errors: Sequence[ErrorRecord] = ()  # non-terminating errors
    failure: ErrorRecord | None = None  # the terminating error: the pipeline has failed
    warnings: Sequence[str] = ()


class ScriptedShell(Protocol):
    """PowerShell as the tests implement it."""

    def run(
        self, script: str, parameters: Mapping[str, object], pipeline_input: Sequence[object]
    ) -> Reply:
        """Run a script."""
