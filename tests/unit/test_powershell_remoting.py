"""The scripted Windows host as the real client sees it, where nothing goes wrong."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from pypsrp.complex_objects import ObjectMeta, PSInvocationState
from pypsrp.exceptions import WinRMTransportError, WSManFaultError
from pypsrp.messages import MessageType
from pypsrp.powershell import Fragment, PowerShell, RunspacePool
from pypsrp.serializer import Serializer
from pypsrp.shell import CommandState

from tests.fakes.powershell_remoting.clixml import messages
from tests.fakes.powershell_remoting.envelope import LARGEST
from tests.fakes.powershell_remoting.fragments import Assembler, Fragmenter
from tests.fakes.powershell_remoting.script import ErrorCategory, ErrorRecord, Reply
from tests.fakes.powershell_remoting.server import serving
from tests.unit.remoting import SOON, Host, connection, invoke, pool_of, prepared


def test_a_script_with_parameters_returns_objects(tmp_path: Path) -> None:
    answer = ["text", 7, 1 << 40, -1, 1.5, True, None, b"\0\1", {"a": [1, "b"]}, ["x", 2]]
    host = Host(lambda _: Reply(output=answer))
    with serving(host, tmp_path) as server, pool_of(server) as pool:
        assert invoke(pool, "Get-Thing", Name="vm", Count=3, Deep={"k": [1]}, Force=None) == answer
    assert host.asked == [
        ("Get-Thing", {"Name": "vm", "Count": 3, "Deep": {"k": [1]}, "Force": None}, [])
    ]


def test_numbers_have_the_types_of_net() -> None:
    def written(number: float) -> bytes:
        (message, _) = messages(Reply(output=[number]))
        (fragment,) = Fragmenter(uuid4()).cut(message, uuid4(), Serializer())
        return fragment

    assert b"<I32>-2147483648</I32>" in written(-(1 << 31))
    assert b"<I64>2147483648</I64>" in written(1 << 31)
    assert b"<Db>0.1</Db>" in written(0.1)
    with pytest.raises(TypeError, match="as large"):
        written(1 << 63)


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


def test_a_fragment_that_is_missing_is_missed() -> None:
    second = Fragment(1, 1, b"second", end=True).pack()
    with pytest.raises(ValueError, match="fragment 1 of message 1 came after 0"):
        list(Assembler().feed(second))


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
        started = [prepared(pool, N=n) for n in range(3)]
        for shell in started:
            shell.begin_invoke()
        assert [list(shell.end_invoke()) for shell in reversed(started)] == [[2], [1], [0]]
        for shell in started:
            shell.close()


def test_parameters_stay_in_the_runspace_unless_a_scope_is_asked_for(tmp_path: Path) -> None:
    with serving(Host(), tmp_path) as server, pool_of(server) as pool:
        shell = PowerShell(pool).add_script("script", use_local_scope=True)
        shell.add_parameters({"A": 1}).invoke()
        assert server.left == set()
        invoke(pool, B=1)
        assert server.left == {"B"}


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
        state, _, received = pool.shell.receive("stdout", first.id)
        reported = pool._fragmenter.defragment(received["stdout"])
        first.close()
    assert state == CommandState.DONE
    assert [message.message_type for message in reported] == [MessageType.PIPELINE_STATE]
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
        pytest.raises(WinRMTransportError, match="413"),
    ):
        invoke(pool, Content="x" * LARGEST)
