"""A shell that tests script, and the real client to reach it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan

from tests.fakes.powershell_remoting.script import Reply
from tests.fakes.powershell_remoting.server import PASSWORD, USER, Server

SOON = 20  # seconds in which what must happen has happened, on a busy host too


@dataclass
class Host:
    """A shell that records its commands and answers as scripted by a test."""

    act: Callable[[Mapping[str, object]], Reply] = lambda _: Reply()
    asked: list[tuple[str, dict[str, object], list[object]]] = field(default_factory=list)

    def run(
        self, script: str, parameters: Mapping[str, object], pipeline_input: Sequence[object]
    ) -> Reply:
        self.asked.append((script, dict(parameters), list(pipeline_input)))
        return self.act(parameters)


def connection(server: Server, **options: Any) -> WSMan:
    wanted: dict[str, Any] = {
        "port": server.port,
        "username": USER,
        "password": PASSWORD,
        "auth": "basic",
        "cert_validation": str(server.certificate.path),
        "no_proxy": True,
        "reconnection_backoff": 0,
    }
    return WSMan(server.host, **{**wanted, **options})


@contextmanager
def pool_of(server: Server, **options: Any) -> Iterator[RunspacePool]:
    with connection(server, **options) as wsman, RunspacePool(wsman) as pool:
        yield pool


def invoke(pool: RunspacePool, script: str = "script", **parameters: object) -> list[object]:
    return list(prepared(pool, script, **parameters).invoke())


def prepared(pool: RunspacePool, script: str = "script", **parameters: object) -> PowerShell:
    return PowerShell(pool).add_script(script).add_parameters(parameters)
