"""The archive of this host's APT, from the output of `apt-get indextargets`."""

from __future__ import annotations

import pytest

from harness.errors import HarnessError
from harness.image_store.host_archive import host_archive

MODULE = "harness.image_store.host_archive"


def apt_prints(monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    monkeypatch.setattr(
        "harness.image_store.host_archive.shutil.which", lambda _: "/usr/bin/apt-get"
    )
    monkeypatch.setattr("harness.image_store.host_archive.run_program", lambda _: "\n".join(lines))


def test_the_main_archive_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    apt_prints(
        monkeypatch,
        "file:/srv/own/ main bookworm",
        "http://a.test/security/ main bookworm-security",
        "http://a.test/debian/ contrib bookworm",
        "http://a.test/debian/ main bookworm",
    )
    assert host_archive() == "http://a.test/debian"


@pytest.mark.parametrize("lines", [(), ("http://a.test/x/ main bookworm-updates",)])
def test_a_host_without_one_is_told(monkeypatch: pytest.MonkeyPatch, lines: tuple[str]) -> None:
    apt_prints(monkeypatch, *lines)
    with pytest.raises(HarnessError, match="no archive over HTTP"):
        host_archive()


def test_a_host_without_apt_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{MODULE}.shutil.which", lambda _: None)
    with pytest.raises(HarnessError, match="has no APT"):
        host_archive()
