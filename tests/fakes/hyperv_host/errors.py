"""The errors that Hyper-V and Windows give, as PowerShell records them."""

from __future__ import annotations

from tests.fakes.powershell_remoting.script import ErrorCategory, ErrorRecord

VIRTUALIZATION = "Microsoft.HyperV.PowerShell.VirtualizationException"


class HostError(Exception):
    """A script ends by this."""

    def __init__(self, record: ErrorRecord) -> None:
        self.record = record
        super().__init__(record.message)


def thrown(message: str) -> HostError:
    """An error that a script throws itself."""
    return HostError(ErrorRecord(message, ErrorCategory.OPERATION_STOPPED, message))


def invalid_state(cmdlet: str, machine: str, state: str) -> HostError:
    """The machine is in a state in which that can't be done."""
    message = (
        f"The operation cannot be performed while the virtual machine is in its current state: "
        f"'{machine}' is {state}."
    )
    return _of(cmdlet, message, ErrorCategory.INVALID_OPERATION, "InvalidState")


def not_found(cmdlet: str, what: str, name: str) -> HostError:
    """The resource does not exist."""
    message = f'Hyper-V was unable to find a {what} with name "{name}".'
    return _of(cmdlet, message, ErrorCategory.INVALID_ARGUMENT, "InvalidParameter")


def vanished(cmdlet: str) -> HostError:
    """A machine was removed while the cmdlet listed all; a stopped service causes the same error.

    Source: https://github.com/kubernetes/minikube/issues/16679 quotes it.
    """
    message = (
        "Hyper-V encountered an error trying to access an object on computer 'HOST' because the "
        "object was not found. The object might have been deleted, or you might not have "
        "permission to perform the task."
    )
    return _of(cmdlet, message, ErrorCategory.OBJECT_NOT_FOUND, "ObjectNotFound")


def log_denied() -> HostError:
    """The user may not read Hyper-V's log."""
    message = "Attempted to perform an unauthorized operation."
    identity = f"{message},Microsoft.PowerShell.Commands.GetWinEventCommand"
    record = ErrorRecord(
        message,
        ErrorCategory.NOT_SPECIFIED,
        identity,
        "System.UnauthorizedAccessException",
        0x80070005,
        "Get-WinEvent",
    )
    return HostError(record)


def invalid_argument(cmdlet: str, message: str) -> HostError:
    """A value that a cmdlet does not take."""
    return _of(cmdlet, message, ErrorCategory.INVALID_ARGUMENT, "InvalidParameter")


def path_not_found(path: str) -> HostError:
    """The file does not exist."""
    record = ErrorRecord(
        f"Cannot find path '{path}' because it does not exist.",
        ErrorCategory.OBJECT_NOT_FOUND,
        "PathNotFound",
        "System.Management.Automation.ItemNotFoundException",
    )
    return HostError(record)


def wrong_generation(cmdlet: str, machine: str, generation: int) -> HostError:
    """The other generation alone has that."""
    message = (
        f"The operation is not supported by generation {generation} virtual machines: {machine}"
    )
    return _of(cmdlet, message, ErrorCategory.INVALID_OPERATION, "InvalidOperation")


def access_denied(cmdlet: str) -> HostError:
    """The user is neither administrator nor one of Hyper-V's administrators."""
    message = (
        "You do not have the required permission to complete this task. Contact the administrator "
        "of the authorization policy for the computer."
    )
    return _of(cmdlet, message, ErrorCategory.PERMISSION_DENIED, "AccessDenied", 0x80070005)


def out_of_memory(machine: str) -> HostError:
    """The host has too little memory for a machine."""
    message = (
        f"'{machine}' failed to start. Not enough memory in the system to start the virtual "
        f"machine {machine}."
    )
    return _of(
        "StartVM", message, ErrorCategory.RESOURCE_UNAVAILABLE, "OperationFailed", 0x8007000E
    )


def no_memory_to_add(cmdlet: str, machine: str) -> HostError:
    """A running machine is to grow by more than the host has left."""
    message = f"Failed to add memory to '{machine}'. Not enough memory in the system."
    return _of(cmdlet, message, ErrorCategory.RESOURCE_UNAVAILABLE, "OperationFailed", 0x8007000E)


def migration_failed(machine: str, message: str, hresult: int = 0x80131501) -> HostError:
    """A machine can't go to another host."""
    message = (
        f"Virtual machine migration operation for '{machine}' failed at migration source. {message}"
    )
    return _of("MoveVM", message, ErrorCategory.NOT_SPECIFIED, "OperationFailed", hresult)


def no_direct(message: str, category: ErrorCategory, identity: str) -> HostError:
    """PowerShell Direct does not come through to the guest."""
    exception = "System.Management.Automation.Remoting.PSDirectException"
    return HostError(ErrorRecord(message, category, identity, exception, activity="Invoke-Command"))


def in_use(cmdlet: str, machine: str) -> HostError:
    """Another machine that is on writes to one of its disks."""
    message = (
        f"'{machine}' failed to start. The process cannot access the file because it is being used "
        "by another process."
    )
    return _of(cmdlet, message, ErrorCategory.RESOURCE_BUSY, "OperationFailed", 0x80070020)


def disk_full(path: str) -> HostError:
    """The host's drive is full."""
    message = f"There is not enough space on the disk: {path}"
    return HostError(
        ErrorRecord(message, ErrorCategory.WRITE_ERROR, "IOException", hresult=0x80070070)
    )


def file_exists(cmdlet: str, path: str) -> HostError:
    """The name is already in use."""
    message = f"Failed to initiate copying files to the guest: The file exists. '{path}'"
    return _of(cmdlet, message, ErrorCategory.RESOURCE_EXISTS, "OperationFailed", 0x80070050)


def service_unavailable(cmdlet: str, machine: str, message: str) -> HostError:
    """An integration service is off, or its guest's side does not answer."""
    return _of(
        cmdlet,
        f"{message} Virtual machine '{machine}'.",
        ErrorCategory.RESOURCE_UNAVAILABLE,
        "OperationFailed",
        0x800710DF,
    )


def bad_parameter(message: str) -> HostError:
    """PowerShell could not bind a script's parameter."""
    return HostError(
        ErrorRecord(
            message,
            ErrorCategory.INVALID_ARGUMENT,
            "ParameterBindingFailed",
            "System.Management.Automation.ParameterBindingException",
        )
    )


def _of(
    cmdlet: str, message: str, category: ErrorCategory, identity: str, hresult: int = 0x80131501
) -> HostError:
    return HostError(
        ErrorRecord(
            message,
            category,
            f"{identity},Microsoft.HyperV.PowerShell.Commands.{cmdlet}",
            VIRTUALIZATION,
            hresult,
            cmdlet,
        )
    )
