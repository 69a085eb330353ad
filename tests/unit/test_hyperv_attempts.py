"""How often an upload to a Hyper-V host is tried while the host cannot be reached."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import Mock

import pytest

from harness.errors import HypervisorUnreachableError
from harness.hypervisors.hyperv.transfer import Transfer


class Line:
    """Runs scripts of the host; each part of an upload is lost `losses` times."""

    def __init__(self, losses: int) -> None:
        self.losses = losses
        self.parts = 0
        self.complete = False

    def __call__(self, script: str, *_: object, **__: object) -> dict[str, object]:
        if script == "Add-FilePart":
            self.parts += 1
            if self.parts <= self.losses:
                raise HypervisorUnreachableError("the line is down")
        self.complete = self.complete or script == "Complete-File"
        return {"length": -1}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "root.vhdx"
    file.write_bytes(b"content")
    return file


def send(line: Line, file: Path) -> None:
    Transfer(line, Mock())._send(file, "C:\\root.vhdx")  # type: ignore[arg-type]


def test_an_upload_that_is_lost_twice_is_tried_a_third_time(file: Path) -> None:
    line = Line(losses=2)
    send(line, file)
    assert (line.parts, line.complete) == (3, True)


def test_an_upload_that_is_lost_three_times_is_given_up(file: Path) -> None:
    line = Line(losses=9)
    with pytest.raises(HypervisorUnreachableError):
        send(line, file)
    assert (line.parts, line.complete) == (3, False)
