"""The scripted host, driven by the real client over real HTTPS."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests
from pypsrp.complex_objects import ObjectMeta, PSInvocationState
from pypsrp.exceptions import AuthenticationError, WinRMTransportError, WSManFaultError
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan

from tests.fakes.powershell_remoting.authentication import Scheme
from tests.fakes.powershell_remoting.certificates import self_signed
from tests.fakes.powershell_remoting.envelope import LARGEST, WsmanError
from tests.fakes.powershell_remoting.faults import Cut, Hold, Moment
from tests.fakes.powershell_remoting.script import ErrorCategory, ErrorRecord, Reply
from tests.fakes.powershell_remoting.server import PASSWORD, USER, Server, serving

SOON = 20.0  # seconds in which what must happen has happened, on a busy host too


@dataclass
class Host:
    """A shell that remembers what it was asked and does what a test says."""

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


def test_a_script_with_parameters_returns_objects(tmp_path: Path) -> None:
    answer = ["text", 7, 1 << 40, -1, 1.5, True, None, b"\0\1", {"a": [1, "b"]}, ["x", 2]]
    host = Host(lambda _: Reply(output=answer))
    with serving(host, tmp_path) as server, pool_of(server) as pool:
        assert invoke(pool, "Get-Thing", Name="vm", Count=3, Deep={"k": [1]}, Force=None) == answer
    assert host.asked == [
        ("Get-Thing", {"Name": "vm", "Count": 3, "Deep": {"k": [1]}, "Force": None}, [])
    ]


def test_what_is_no_object_of_powershell_breaks_the_test(tmp_path: Path) -> None:
    with (
        pytest.raises(BaseExceptionGroup, match="scripted host broke") as broken,
        serving(Host(lambda _: Reply(output=[object()])), tmp_path) as server,
        pool_of(server) as pool,
        pytest.raises(WSManFaultError),
    ):
        invoke(pool)
    assert isinstance(broken.value.exceptions[0], TypeError)


def test_a_record_of_an_error_keeps_its_category(tmp_path: Path) -> None:
    record = ErrorRecord(
        "The file exists.",
        ErrorCategory.RESOURCE_EXISTS,
        "FileExists,NewVHD",
        "Microsoft.HyperV.PowerShell.VirtualizationException",
        hresult=0x80070050,
        activity="New-VHD",
        target="disk.vhdx",
    )
    host = Host(lambda _: Reply(output=["before"], errors=[record], warnings=["careful"]))
    with serving(host, tmp_path) as server, pool_of(server) as pool:
        shell = prepared(pool)
        assert shell.invoke() == ["before"]
    assert shell.state == PSInvocationState.COMPLETED
    (seen,) = shell.streams.error
    assert str(seen) == "The file exists."
    assert seen.category == 20
    assert seen.fq_error == "FileExists,NewVHD"
    assert seen.reason == "VirtualizationException"
    assert seen.message == ("ResourceExists: (disk.vhdx:String) [New-VHD], VirtualizationException")
    assert seen.exception is not None
    assert seen.exception.types[0] == "Microsoft.HyperV.PowerShell.VirtualizationException"
    assert seen.exception.adapted_properties["HResult"] == 0x80070050 - (1 << 32)
    (warning,) = shell.streams.warning
    assert warning.message == "careful"


def test_a_terminating_error_fails_the_pipeline(tmp_path: Path) -> None:
    failure = ErrorRecord("Access is denied.", ErrorCategory.PERMISSION_DENIED, "AccessDenied")
    host = Host(lambda _: Reply(output=[1], failure=failure))
    with serving(host, tmp_path) as server, pool_of(server) as pool:
        shell = prepared(pool)
        assert shell.invoke() == [1]
    assert (shell.state, shell.had_errors) == (PSInvocationState.FAILED, True)
    (seen,) = shell.streams.error
    assert (str(seen), seen.category) == ("Access is denied.", 18)


def test_what_the_shell_raises_is_not_lost(tmp_path: Path) -> None:
    def break_down(_: Mapping[str, object]) -> Reply:
        raise AssertionError("not what the test expected")

    with (
        pytest.raises(BaseExceptionGroup) as broken,
        serving(Host(break_down), tmp_path) as server,
        pool_of(server) as pool,
        pytest.raises(WSManFaultError, match="not what the test expected"),
    ):
        invoke(pool)
    assert [str(error) for error in broken.value.exceptions] == ["not what the test expected"]


@pytest.mark.parametrize(
    "text",
    ["größer äöü", "日本語", "emoji 😀👩‍💻", "a_x0041_b", "line\r\nnext\ttab\x01", "<&\"'>", ""],
)
def test_text_survives_both_ways(text: str, tmp_path: Path) -> None:
    host = Host(lambda parameters: Reply(output=[parameters["Text"]]))
    with serving(host, tmp_path) as server, pool_of(server) as pool:
        assert invoke(pool, text, Text=text) == [text]
    assert host.asked == [(text, {"Text": text}, [])]


def test_a_large_answer_and_large_parameters_arrive_whole(tmp_path: Path) -> None:
    large = "0123456789abcdef" * (5 * 1024 * 1024 // 16)
    host = Host(lambda _: Reply(output=[large, "after"]))
    with serving(host, tmp_path) as server, pool_of(server) as pool:
        assert invoke(pool, Content=large[: 1024 * 1024]) == [large, "after"]
    assert host.asked[0][1] == {"Content": large[: 1024 * 1024]}


def test_no_answer_is_larger_than_the_client_allows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = Host(lambda _: Reply(output=["x" * 2_000_000]))
    sizes = []
    with serving(host, tmp_path) as server, pool_of(server) as pool:
        send = pool.connection.transport.send

        def weigh(*arguments: Any, **options: Any) -> bytes:
            answer = send(*arguments, **options)
            sizes.append(len(answer))
            return answer

        monkeypatch.setattr(pool.connection.transport, "send", weigh)
        invoke(pool)
    assert 300_000 < max(sizes) <= LARGEST


def test_objects_are_piped_in(tmp_path: Path) -> None:
    host = Host()
    with serving(host, tmp_path) as server, pool_of(server) as pool:
        large = "é" * 700_000
        piped: list[Any] = [["one", 2, {"three": 3}, large], []]  # pypsrp's hint lacks lists
        for objects in piped:
            prepared(pool).invoke(objects)
    assert [asked[2] for asked in host.asked] == piped


def test_a_secure_string_is_read(tmp_path: Path) -> None:
    host = Host()
    with serving(host, tmp_path) as server, pool_of(server) as pool:
        pool.exchange_keys()
        invoke(pool, Secret=pool.serialize("gehéim", ObjectMeta("SS")))
    assert host.asked[0][1] == {"Secret": "gehéim"}


def test_pipelines_of_one_pool(tmp_path: Path) -> None:
    host = Host(lambda parameters: Reply(output=[parameters["N"]]))
    with serving(host, tmp_path) as server, pool_of(server) as pool:
        assert [invoke(pool, N=n) for n in range(3)] == [[0], [1], [2]]
        begun = [prepared(pool, N=n) for n in range(3)]
        for shell in begun:
            shell.begin_invoke()
        assert [list(shell.end_invoke()) for shell in reversed(begun)] == [[2], [1], [0]]
        for shell in begun:
            shell.close()


def test_two_clients_at_once(tmp_path: Path) -> None:
    together = threading.Barrier(2)

    def meet(parameters: Mapping[str, object]) -> Reply:
        together.wait(SOON)
        return Reply(output=[parameters["Who"]])

    def ask(who: str) -> list[object]:
        with pool_of(server) as pool:
            return invoke(pool, Who=who)

    with serving(Host(meet), tmp_path) as server, ThreadPoolExecutor() as clients:
        assert list(clients.map(ask, ["a", "b"])) == [["a"], ["b"]]


def test_a_stopped_pipeline_is_not_heard_any_more(tmp_path: Path) -> None:
    running, go_on = threading.Event(), threading.Event()

    def act(_: Mapping[str, object]) -> Reply:
        running.set()
        go_on.wait(SOON)
        return Reply(output=["late"])

    host = Host(act)
    with serving(host, tmp_path) as server, pool_of(server) as pool:
        first, waiting = prepared(pool, "first"), prepared(pool, "waiting")
        first.begin_invoke()
        waiting.begin_invoke()
        assert running.wait(SOON)
        for shell in (first, waiting):
            shell.stop()
        go_on.set()
        assert invoke(pool, "third") == ["late"]
        first.close()
    assert first.output == []
    assert [asked[0] for asked in host.asked] == ["first", "third"]


def test_an_unknown_shell_is_refused(tmp_path: Path) -> None:
    with serving(Host(), tmp_path) as server, pool_of(server) as pool:
        assert pool.shell._selector_set is not None
        selector = pool.shell._selector_set.values.pop()
        pool.shell._selector_set.add_option("ShellId", "00000000-0000-0000-0000-000000000001")
        with pytest.raises(WSManFaultError) as refused:
            invoke(pool)
        pool.shell._selector_set.values[:] = [selector]
    assert refused.value.code == 0x8033805B


def test_another_configuration_is_refused(tmp_path: Path) -> None:
    with (
        serving(Host(), tmp_path) as server,
        connection(server) as wsman,
        pytest.raises(WSManFaultError),
    ):
        RunspacePool(wsman, configuration_name="Elsewhere").open()


def test_a_request_that_is_too_large_is_refused(tmp_path: Path) -> None:
    with (
        serving(Host(), tmp_path) as server,
        connection(server, max_envelope_size=2 * LARGEST) as wsman,
        RunspacePool(wsman) as pool,
        pytest.raises((WinRMTransportError, requests.ConnectionError)),
    ):
        invoke(pool, Content="x" * LARGEST)


@pytest.mark.parametrize("scheme", ["basic", "negotiate", "ntlm"])
def test_who_knows_the_password_is_admitted(scheme: str, tmp_path: Path) -> None:
    accounts = {"LAB\\admin": "geheim 1"}
    with serving(Host(lambda _: Reply(output=[1])), tmp_path, accounts=accounts) as server:
        given = {"username": "LAB\\admin", "password": "geheim 1", "auth": scheme}
        with pool_of(server, **given) as pool:
            assert invoke(pool) == [1]


@pytest.mark.parametrize("scheme", ["basic", "negotiate", "ntlm"])
@pytest.mark.parametrize("wrong", [{"password": "wrong"}, {"username": "nobody"}])
def test_who_does_not_is_refused(scheme: str, wrong: dict[str, str], tmp_path: Path) -> None:
    host = Host()
    with (
        serving(host, tmp_path) as server,
        pytest.raises(AuthenticationError),
        pool_of(server, auth=scheme, **wrong) as pool,
    ):
        invoke(pool)
    assert host.asked == []


def test_ntlm_is_bound_to_the_certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "pypsrp.negotiate.HTTPNegotiateAuth._get_certificate_hash", lambda _: b"another's"
    )
    with (
        serving(Host(), tmp_path) as server,
        pytest.raises(AuthenticationError),
        pool_of(server, auth="ntlm"),
    ):
        pass


def test_a_scheme_that_is_not_offered_is_refused(tmp_path: Path) -> None:
    with serving(Host(), tmp_path, schemes=[Scheme.NEGOTIATE]) as server:
        with pool_of(server, auth="ntlm"):
            pass
        with pytest.raises(AuthenticationError), pool_of(server):
            pass


def test_who_was_admitted_can_be_refused_later(tmp_path: Path) -> None:
    with (
        serving(Host(), tmp_path) as server,
        connection(server, auth="ntlm") as ntlm,
        connection(server) as basic,
    ):
        pools = [RunspacePool(ntlm), RunspacePool(basic)]
        for pool in pools:
            pool.open()
        server.gate.refusing = True
        for pool in pools:
            with pytest.raises(AuthenticationError):
                invoke(pool)


def test_an_untrusted_certificate_is_refused_by_the_client(tmp_path: Path) -> None:
    host = Host()
    with (
        serving(host, tmp_path) as server,
        pytest.raises(requests.exceptions.SSLError, match="self-signed"),
        pool_of(server, cert_validation=True),
    ):
        pass


def test_a_certificate_for_another_name_is_refused_by_the_client(tmp_path: Path) -> None:
    certificate = self_signed(tmp_path, names=["elsewhere.example"])
    with (
        serving(Host(), tmp_path, certificate=certificate) as server,
        pytest.raises(requests.exceptions.SSLError, match=r"127\.0\.0\.1"),
        pool_of(server),
    ):
        pass


def test_an_expired_certificate_is_refused_by_the_client(tmp_path: Path) -> None:
    certificate = self_signed(tmp_path, expired=True)
    with (
        serving(Host(), tmp_path, certificate=certificate) as server,
        pytest.raises(requests.exceptions.SSLError, match="expired"),
        pool_of(server),
    ):
        pass


def test_a_cut_after_a_number_of_requests(tmp_path: Path) -> None:
    host = Host(lambda _: Reply(output=[1]))
    with serving(host, tmp_path) as server, pool_of(server) as pool:
        server.faults.order(Cut(), after=2)  # the Command and the Receive of the first
        assert invoke(pool) == [1]
        with pytest.raises(requests.ConnectionError):
            invoke(pool)
        assert invoke(pool) == [1]
    assert len(host.asked) == 2


def test_a_cut_while_the_script_runs(tmp_path: Path) -> None:
    noticed = threading.Event()

    def act(_: Mapping[str, object]) -> Reply:
        return Reply(output=[noticed.wait(SOON)])

    with serving(Host(act), tmp_path) as server, pool_of(server) as pool:
        server.faults.order(Cut(), Moment.RUN)
        shell = prepared(pool)
        with pytest.raises(requests.ConnectionError):
            shell.invoke()
        noticed.set()
        assert shell.end_invoke() == [True]


def test_a_cut_when_the_script_has_done_its_work(tmp_path: Path) -> None:
    host = Host()
    with serving(host, tmp_path) as server, pool_of(server) as pool:
        server.faults.order(Cut(), Moment.REPLY)
        with pytest.raises(requests.ConnectionError):
            invoke(pool)
        assert len(host.asked) == 1


def test_a_script_outlasts_the_operation_timeout(tmp_path: Path) -> None:
    host, hold = Host(lambda _: Reply(output=["done"])), Hold()
    with serving(host, tmp_path) as server, pool_of(server) as pool:
        server.faults.order(hold, Moment.RUN)
        shell = prepared(pool)
        shell.begin_invoke()
        with pytest.raises(WSManFaultError) as timed_out:
            pool._receive(shell.id, timeout=1)
        assert (timed_out.value.code, host.asked) == (0x80338029, [])
        hold.released.set()
        assert shell.end_invoke() == ["done"]


def test_an_answer_comes_too_late_for_the_client(tmp_path: Path) -> None:
    with serving(Host(), tmp_path) as server, pool_of(server, read_timeout=1) as pool:
        server.faults.order(Hold(), Moment.COMMAND)
        with pytest.raises(requests.ReadTimeout):
            invoke(pool)


def test_a_fault_that_was_ordered(tmp_path: Path) -> None:
    with serving(Host(), tmp_path) as server, pool_of(server) as pool:
        server.faults.order(WsmanError(0x8007000E, "out of memory"), Moment.COMMAND)
        with pytest.raises(WSManFaultError, match="out of memory") as seen:
            invoke(pool)
        assert seen.value.code == 0x8007000E
        assert invoke(pool) == []


def test_closing_leaves_no_thread(tmp_path: Path) -> None:
    before = threading.enumerate()
    with ExitStack() as open_for_ever:
        with serving(Host(), tmp_path) as server:
            # Pools that are not closed, and a request that is held.
            for scheme in ("basic", "ntlm"):
                wsman = open_for_ever.enter_context(connection(server, auth=scheme))
                pool = RunspacePool(wsman)
                pool.open()
                invoke(pool)
            server.faults.order(Hold(), Moment.RECEIVE)
            clients = open_for_ever.enter_context(ThreadPoolExecutor())
            waiting = clients.submit(invoke, pool)
            prepared(pool)
        assert waiting.exception(SOON) is None or isinstance(
            waiting.exception(), requests.ConnectionError
        )
        left = set(threading.enumerate()) - set(before)
        assert all(thread.name.startswith("ThreadPoolExecutor") for thread in left)
