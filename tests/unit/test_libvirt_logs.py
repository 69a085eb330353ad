"""The files that libvirt's log daemon writes for a machine."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import libvirt
import pytest

from harness.hypervisors.libvirt import logs


@pytest.mark.parametrize(
    ("uri", "folder"),
    [
        ("qemu:///system", "/var/log/libvirt/qemu"),
        ("qemu:///session", "/home/me/.cache/libvirt/qemu/log"),
    ],
)
def test_the_copy_stands_beside_qemu_s_log(
    uri: str, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    connection = cast(libvirt.virConnect, SimpleNamespace(getURI=lambda: uri))
    assert logs.qemu_log(connection, "guest") == Path(folder, "guest.log")
    assert logs.console_copy(connection, "guest") == Path(folder, "guest-console.log")


def test_only_the_machine_s_own_copy_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "_folder", lambda _connection: tmp_path)
    kept = ["guest.log", "guest-2-console.log", "other-console.log"]
    for name in [*kept, "guest-console.log", "guest-console.log.0"]:
        (tmp_path / name).touch()
    connection = cast(libvirt.virConnect, SimpleNamespace())

    logs.remove_console_copy(connection, "guest")

    assert sorted(file.name for file in tmp_path.iterdir()) == sorted(kept)
    logs.remove_console_copy(connection, "guest")  # nothing is left to remove
