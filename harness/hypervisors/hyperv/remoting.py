"""Runs the scripts of this package on a Hyper-V host: PowerShell remoting over HTTPS."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Protocol

from pypsrp.complex_objects import ObjectMeta, PSCredential, PSInvocationState
from pypsrp.exceptions import WSManFaultError
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan

from harness.errors import HypervisorError
from harness.hypervisors.facets.direct import Login
from harness.hypervisors.hyperv.address import Address, Authentication
from harness.hypervisors.hyperv.errors import (
    CONNECTION_LOST,
    UNKNOWN_SHELL,
    VanishedError,
    lost,
    refused,
    timed_out,
)
from harness.waiting import Deadline

VERSION = 1
"""Version of the scripts' answers; a change of a script's answer raises it here and there."""

CALL_SECONDS = 120.0
"""Default time limit of a script."""

CONNECT_SECONDS = 15
POLL_SECONDS = 10
"""How long the host holds a request for output before it answers that there is none yet."""

LISTINGS = 3
"""Attempts to list the host's machines."""

INT32 = 2**31

Value = str | int | bool | list[str] | Login | None


@dataclass(frozen=True)
class ScriptCall:
    """One script with its parameters."""

    script: str
    parameters: Mapping[str, Value]


class ScriptRunner(Protocol):
    """Runs a script on the host. Session is the real implementation."""

    def __call__(
        self, script: str, doing: str, seconds: float = CALL_SECONDS, /, **parameters: Value
    ) -> dict[str, Any]:
        """The script's answer. Raises HypervisorError, whose sentence begins with `doing`."""
        ...


@cache
def script_text(name: str) -> str:
    """The text of this package's script `name`.ps1."""
    file = resources.files(__package__) / "scripts" / f"{name}.ps1"
    return file.read_text(encoding="utf-8")


class Session:
    """One runspace on the host: scripts run one after the other, each in its own scope.

    Scripts keep state across calls in the global scope. A lost connection is reported once, and the
    next call opens a new runspace.
    """

    def __init__(self, address: Address) -> None:
        self._address = address
        self._pool: RunspacePool | None = None
        self._wsman: WSMan | None = None
        self._turn = threading.Lock()

    def __call__(
        self, script: str, doing: str, seconds: float = CALL_SECONDS, /, **parameters: Value
    ) -> dict[str, Any]:
        """See ScriptRunner. Raises HypervisorUnreachableError where the connection fails."""
        for _ in range(LISTINGS - 1):
            # Another user's machine vanished while the host listed all: the next list omits it.
            # Nothing has happened yet, as scripts list before they act.
            with contextlib.suppress(VanishedError):
                return self._call(script, doing, seconds, parameters)
        return self._call(script, doing, seconds, parameters)

    def _call(
        self, script: str, doing: str, seconds: float, parameters: Mapping[str, Value]
    ) -> dict[str, Any]:
        with self._turn:
            try:
                pipeline = self._begin(script, parameters)
                self._finish(pipeline, doing, seconds)
            except CONNECTION_LOST as error:
                self._forget()
                raise lost(self._address, doing, error) from error
        if pipeline.had_errors or pipeline.streams.error:
            raise refused(doing, pipeline.streams.error)
        return _answer(script, doing, pipeline.output)

    def close(self) -> None:
        """Close the runspace; its resources on the host end with it."""
        with self._turn:
            if self._pool is not None:
                # The host closes the runspaces of a lost connection itself.
                with contextlib.suppress(*CONNECTION_LOST):
                    self._pool.close()
            self._forget()

    def _begin(self, script: str, parameters: Mapping[str, Value]) -> PowerShell:
        try:
            return self._begin_once(script, parameters)
        except WSManFaultError as error:
            if error.code != UNKNOWN_SHELL:
                raise
        # The host closed the runspace, idle or restarted, before the script started.
        self._forget()
        return self._begin_once(script, parameters)

    def _begin_once(self, script: str, parameters: Mapping[str, Value]) -> PowerShell:
        pool = self._opened()
        pipeline = PowerShell(pool)
        # In the runspace's global scope, its variables and the types of its parameters would affect
        # later scripts that use the same names.
        pipeline.add_script(script_text(script), use_local_scope=True)
        for name, value in parameters.items():
            if value is not None:
                pipeline.add_parameter(name, _typed(pool, value))
        pipeline.begin_invoke()
        return pipeline

    def _finish(self, pipeline: PowerShell, doing: str, seconds: float) -> None:
        deadline = Deadline(seconds)
        while pipeline.state == PSInvocationState.RUNNING:
            if deadline.passed:
                pipeline.stop()
                raise timed_out(self._address, doing, seconds)
            pipeline.poll_invoke(timeout=max(1, min(POLL_SECONDS, round(deadline.remaining))))
        pipeline.close()

    def _opened(self) -> RunspacePool:
        if self._pool is None:
            self._wsman = _wsman(self._address)
            pool = RunspacePool(self._wsman)
            pool.open()
            self._pool = pool
        return self._pool

    def _forget(self) -> None:
        if self._wsman is not None:
            self._wsman.close()
        self._pool = self._wsman = None


def _wsman(address: Address) -> WSMan:
    identity: dict[str, Any] = {"username": address.user, "password": address.password}
    if address.auth is Authentication.CERTIFICATE:
        identity = {
            "certificate_pem": str(address.certificate),
            "certificate_key_pem": str(address.key),
        }
    return WSMan(
        address.host,
        port=address.port,
        ssl=True,
        auth=str(address.auth),
        cert_validation=str(address.ca) if address.ca else True,  # type: ignore[arg-type]
        connection_timeout=CONNECT_SECONDS,
        read_timeout=2 * POLL_SECONDS,
        operation_timeout=POLL_SECONDS,
        reconnection_backoff=0.2,
        no_proxy=True,  # a host in the lab is reached directly
        **identity,
    )


def _typed(pool: RunspacePool, value: Value) -> Any:
    """The value for the remote side; pypsrp serializes every int with 32 bits by default."""
    if isinstance(value, Login):
        # Passwords are encrypted with a key of the runspace, besides TLS; never in a script's text.
        pool.exchange_keys()
        return PSCredential(username=value.user, password=value.password)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= INT32:
        return pool.serialize(value, ObjectMeta("I64"))
    return value


def _answer(script: str, doing: str, output: list[Any]) -> dict[str, Any]:
    """The one JSON object that the script wrote."""
    try:
        (text,) = output
        answer = json.loads(text)
        if not isinstance(answer, Mapping) or answer.get("version") != VERSION:
            raise ValueError
    except (ValueError, TypeError):
        seen = " ".join(str(part) for part in output)[:200] or "nothing"
        raise HypervisorError(
            f"{doing}: expected one JSON object of version {VERSION} from {script}, and got {seen}",
            remedy="check whether a PowerShell profile on the host writes output",
        ) from None
    return dict(answer)
