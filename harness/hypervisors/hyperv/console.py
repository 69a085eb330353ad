"""A machine's serial port as a plain socket: the host's named pipe, over PowerShell remoting.

The pipe is opened in a separate runspace, where a thread polls for the guest's output; the host
holds each call until there is output or WAIT_MILLISECONDS have passed.
"""

from __future__ import annotations

import base64
import contextlib
import socket
import threading

from harness.errors import HypervisorError
from harness.hypervisors.hyperv.definition import pipe_name
from harness.hypervisors.hyperv.host_machine import HostMachine
from harness.hypervisors.hyperv.remoting import Session

CONNECT_MILLISECONDS = 10_000
WAIT_MILLISECONDS = 200
"""Maximum delay of input; the guest's output arrives at once."""

CHUNK = 16384


class HypervConsole:
    """See SerialConsole. Closing the socket ends the session."""

    def __init__(self, machine: HostMachine) -> None:
        self._machine = machine

    def open(self) -> socket.socket:
        """See SerialConsole."""
        name = self._machine.name
        session = Session(self._machine.address)
        try:
            session(
                "Open-Console",
                f"opening the console of {name}",
                Pipe=pipe_name(name),
                Milliseconds=CONNECT_MILLISECONDS,
            )
        except HypervisorError:
            session.close()
            raise
        local, remote = socket.socketpair()
        _Bridge(session, local, name)
        return remote


class _Bridge:
    """Copies bytes between the host's pipe and a socket, until either ends."""

    def __init__(self, session: Session, local: socket.socket, machine: str) -> None:
        self._session = session
        self._local = local
        self._machine = machine
        local.setblocking(False)
        threading.Thread(target=self._carry, name=f"console of {machine}", daemon=True).start()

    def _carry(self) -> None:
        try:
            while (typed := self._typed()) is not None and self._exchange(typed):
                pass
        except (HypervisorError, OSError):
            pass  # the machine, the host or the reader is gone: closing the socket shows it
        finally:
            with contextlib.suppress(OSError):
                self._local.shutdown(socket.SHUT_RDWR)
            self._local.close()
            self._session.close()

    def _typed(self) -> bytes | None:
        """Input for the guest; None where the reader closed the socket."""
        try:
            return self._local.recv(CHUNK) or None
        except BlockingIOError:
            return b""

    def _exchange(self, typed: bytes) -> bool:
        """Send and receive once; returns whether the pipe is still open."""
        answer = self._session(
            "Sync-Console",
            f"reading the console of {self._machine}",
            Pipe=pipe_name(self._machine),
            Data=base64.b64encode(typed).decode("ascii"),
            Milliseconds=WAIT_MILLISECONDS,
        )
        output = base64.b64decode(answer["data"])
        if output:
            self._local.setblocking(True)
            self._local.sendall(output)
            self._local.setblocking(False)
        return bool(answer["open"])
