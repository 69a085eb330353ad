"""Folders of broken builds are removed, and never what is mounted in them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.errors import HarnessError
from harness.image_store import removal
from harness.image_store.removal import mounts_below, remove_tree

SCRIPT = """
import subprocess, sys
from pathlib import Path
from harness.image_store.removal import mounts_below, remove_tree
base = Path(sys.argv[1])
host, tree = base / "the host's", base / "left over.making" / "tmp" / "tree"
def mount(*words): subprocess.run(["mount", *map(str, words)], check=True)
host.mkdir(parents=True)
(tree / "sys").mkdir(parents=True)
(tree / "dev").mkdir()
mount("-t", "tmpfs", "host", host)
mount("--make-shared", host)
(host / "inner").mkdir()
mount("-t", "tmpfs", "inner", host / "inner")
(host / "inner" / "file").write_text("the host's own")
mount("--rbind", host, tree / "sys")
mount("-t", "tmpfs", "dev", tree / "dev")
assert len(mounts_below(base / "left over.making")) == 3
remove_tree(base / "left over.making")
assert not (base / "left over.making").exists()
assert (host / "inner" / "file").read_text() == "the host's own"
print("removed")
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts")
def test_what_is_mounted_is_unmounted_and_never_removed(tmp_path: Path) -> None:
    """In a mount namespace of its own, with what mmdebstrap leaves: binds and its own mounts."""
    done = subprocess.run(
        ["unshare", "--mount", sys.executable, "-c", SCRIPT, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=Path(__file__).resolve().parents[2],
    )
    assert done.stdout == "removed\n", done.stderr


def test_with_a_mount_that_stays_nothing_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "left.making"
    (folder / "sys").mkdir(parents=True)
    (folder / "file").write_text("")
    listed = tmp_path / "mountinfo"
    listed.write_text(f"90 27 0:43 / {folder}/sys ro - sysfs sys rw\n91 27 0:43 / /sys ro\n")
    monkeypatch.setattr(removal, "MOUNTS", listed)
    assert mounts_below(folder) == [folder / "sys"]
    with pytest.raises(HarnessError, match="is still mounted"):
        remove_tree(folder)
    assert (folder / "file").exists()
    listed.write_text("")
    remove_tree(folder)
    assert not folder.exists()
    remove_tree(folder)
    assert not folder.exists()
