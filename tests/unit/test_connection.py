"""Which hypervisor is opened, and the error if none can be."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import Mock

import pytest

from harness.errors import HypervisorUnreachableError, UsageError
from harness.hypervisors.connection import DEFAULT_URI, open_hypervisor
from harness.hypervisors.libvirt.reachability import connection_remedy, is_remote


@pytest.mark.parametrize(
    ("uri", "remote"),
    [
        ("qemu:///system", False),
        ("qemu:///session", False),
        ("qemu+unix:///system?socket=/run/x", False),
        ("test:///default", False),
        ("qemu+ssh://host/system", True),
        ("qemu+ssh:///system", True),
        ("qemu://host/system", True),
        ("qemu+tcp://127.0.0.1:9/system", True),
        ("qemu+ext:///system?command=/bin/x", True),
        ("test+tls://host/default", True),
    ],
)
def test_a_transport_or_a_host_makes_an_address_remote(uri: str, remote: bool) -> None:
    assert is_remote(uri) is remote


def test_another_host_s_libvirt_is_refused_once_it_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connection = Mock()
    monkeypatch.setattr(
        "harness.hypervisors.connection.LibvirtHypervisor", Mock(return_value=connection)
    )
    with pytest.raises(UsageError, match="another host's libvirt"):
        open_hypervisor("qemu+ssh://host/system")
    connection.close.assert_called_once_with()
    assert open_hypervisor("qemu:///system") is connection, "the control"


def test_another_host_s_libvirt_that_does_not_answer_is_the_lab_s_fault() -> None:
    with pytest.raises(HypervisorUnreachableError, match=r"127\.0\.0\.1") as caught:
        open_hypervisor("qemu+tcp://127.0.0.1:9/system")
    assert "listens there" in str(caught.value.remedy)


def test_the_environment_names_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DEFAULT_URI, "test:///default")
    hypervisor = open_hypervisor(None)
    assert hypervisor.uri == "test:///default"
    hypervisor.close()
    monkeypatch.setenv(DEFAULT_URI, "xen:///system")
    with pytest.raises(UsageError, match="xen"):
        open_hypervisor(None)


def test_what_to_try_is_told_by_what_is_there(tmp_path: Path) -> None:
    socket = tmp_path / "libvirt-sock"
    local = "qemu:///system"
    assert "start libvirt" in connection_remedy(local, [socket], 0)
    socket.touch()
    assert "restart" in connection_remedy(local, [socket], 0)
    assert "join the group" in connection_remedy(local, [socket], 1000)
    named = connection_remedy("qemu+unix:///system?socket=/tmp/nope", [socket], 0)
    assert "/tmp/nope" in named
    assert "qemu:///system" in connection_remedy("qemu:///session", [socket], 1000)
