"""The scripted Windows host where it refuses its client, is refused, breaks or ends."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from pypsrp.exceptions import AuthenticationError, WSManFaultError
from pypsrp.powershell import RunspacePool

from tests.fakes.powershell_remoting.authentication import Scheme
from tests.fakes.powershell_remoting.certificates import Certificate, self_signed
from tests.fakes.powershell_remoting.envelope import WsmanError
from tests.fakes.powershell_remoting.faults import Cut, Hold, Moment
from tests.fakes.powershell_remoting.script import Reply
from tests.fakes.powershell_remoting.server import serving
from tests.unit.remoting import SOON, Host, connection, invoke, pool_of, prepared


@pytest.mark.parametrize("scheme", ["basic", "negotiate", "ntlm"])
def test_who_knows_the_password_is_admitted(scheme: str, tmp_path: Path) -> None:
    accounts = {"LAB\\admin": "größer 1"}
    with serving(Host(lambda _: Reply(output=[1])), tmp_path, accounts=accounts) as server:
        given = {"username": "LAB\\admin", "password": "größer 1", "auth": scheme}
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


def test_a_certificate_admits_its_holder_and_nobody_else(tmp_path: Path) -> None:
    admitted, other = (self_signed(tmp_path, names=[name]) for name in ("admitted", "other"))
    host = Host(lambda _: Reply(output=[1]))
    with serving(host, tmp_path, client=admitted) as server:

        def holding(certificate: Certificate) -> dict[str, str]:
            files = {"certificate_pem": certificate.path, "certificate_key_pem": certificate.key}
            return {"auth": "certificate", **{name: str(file) for name, file in files.items()}}

        with pool_of(server, **holding(admitted)) as pool:
            assert invoke(pool) == [1]
        with pytest.raises(requests.ConnectionError), pool_of(server, **holding(other)):
            pass


def test_a_certificate_is_nothing_where_none_is_known(tmp_path: Path) -> None:
    certificate = self_signed(tmp_path, names=["client"])
    files = {"certificate_pem": str(certificate.path), "certificate_key_pem": str(certificate.key)}
    with (
        serving(Host(), tmp_path) as server,
        pytest.raises(AuthenticationError),
        pool_of(server, auth="certificate", **files),
    ):
        pass


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


def test_who_connects_and_says_nothing_disturbs_nobody(tmp_path: Path) -> None:
    with serving(Host(), tmp_path) as server:
        address = (server.host, server.port)
        with socket.create_connection(address), socket.create_connection(address) as hasty:
            # An end without a farewell: the host sees a reset.
            hasty.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            hasty.close()
            with pool_of(server) as pool:
                assert invoke(pool) == []


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


@pytest.mark.parametrize("unspoken", ["a pipeline of 2 commands", "arguments by position"])
def test_what_is_not_spoken_is_not_lost(unspoken: str, tmp_path: Path) -> None:
    with (
        pytest.raises(BaseExceptionGroup) as broken,
        serving(Host(), tmp_path) as server,
        pool_of(server) as pool,
    ):
        shell = prepared(pool)
        if "commands" in unspoken:
            shell.add_cmdlet("Out-String")
        else:
            shell.add_argument("first")
        with pytest.raises(requests.ConnectionError):
            shell.invoke()
    assert [str(error) for error in broken.value.exceptions] == [unspoken]


def test_an_operation_that_is_not_spoken_is_refused(tmp_path: Path) -> None:
    with serving(Host(), tmp_path) as server, pool_of(server) as pool:
        with pytest.raises(WSManFaultError, match="Disconnect"):
            pool.disconnect()
        assert invoke(pool) == []


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
        hold.release()
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


def test_a_pool_that_is_deleted_answers_who_waits_in_it(tmp_path: Path) -> None:
    hold = Hold()
    with (
        serving(Host(), tmp_path) as server,
        pool_of(server, operation_timeout=3 * SOON, read_timeout=3 * SOON) as pool,
        connection(server) as other,
        ThreadPoolExecutor() as clients,
    ):
        server.faults.order(hold, Moment.RUN)
        waiting = clients.submit(invoke, pool)
        assert hold.struck.wait(SOON)
        other.delete(pool.shell.resource_uri, selector_set=pool.shell._selector_set)
        error = waiting.exception(SOON)
        assert isinstance(error, WSManFaultError)
        assert error.code in (995, 0x8033805B)  # as it waited already, or was about to
        hold.release()
        pool.shell.opened = False


@pytest.mark.parametrize("moment", [Moment.COMMAND, Moment.RUN, Moment.RECEIVE])
def test_closing_does_not_wait_for_clients(moment: Moment, tmp_path: Path) -> None:
    before = set(threading.enumerate())
    host, hold = Host(), Hold()
    with ThreadPoolExecutor() as clients:
        with serving(host, tmp_path) as server:
            idle, busy = (
                RunspacePool(connection(server, auth="ntlm")),
                RunspacePool(connection(server)),
            )
            for pool in (idle, busy):
                pool.open()
            server.faults.order(hold, moment)
            waiting = clients.submit(invoke, busy)
            assert hold.struck.wait(SOON)
        assert isinstance(waiting.exception(SOON), requests.ConnectionError)
        for pool in (idle, busy):
            pool.connection.close()
    assert set(threading.enumerate()) <= before
    assert moment is Moment.RECEIVE or host.asked == []
