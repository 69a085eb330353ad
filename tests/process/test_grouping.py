"""Cases that share a guest are run by one worker: without that, each worker makes its own."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

CASES = """
import pytest

@pytest.mark.xdist_group("shared")
@pytest.mark.parametrize("number", range(12))
def test_one(number, worker_id):
    print(f"ran in {worker_id}")
    assert worker_id
"""


def test_the_installed_xdist_keeps_a_group_in_one_worker(tmp_path: Path) -> None:
    (tmp_path / "test_cases.py").write_text(CASES, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-n", "2", "--dist", "loadgroup", "-rP", str(tmp_path)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    workers = re.findall(r"^ran in (gw\d)$", done.stdout, re.MULTILINE)
    assert len(workers) == 12, done.stdout
    assert len(set(workers)) == 1, "a group was torn apart: pytest and pytest-xdist do not fit"
