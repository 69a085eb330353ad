"""What is seen on a picture of a screen."""

from __future__ import annotations

import io

import png
import pytest

from harness.errors import HarnessError, HypervisorError
from harness.hypervisors.libvirt.display import as_png
from harness.oracles.screen import Picture


def a_picture(*rows: list[int]) -> Picture:
    """Each row by the grey of its pixels."""
    data = io.BytesIO()
    coloured = [[part for grey in row for part in (grey, grey, grey)] for row in rows]
    png.Writer(len(rows[0]), len(rows), greyscale=False, bitdepth=8).write(data, coloured)
    return Picture.from_png(data.getvalue())


def test_one_colour_is_blank_and_two_are_not() -> None:
    assert a_picture([7, 7], [7, 7]).blank
    assert not a_picture([7, 7], [7, 8]).blank


def test_rows_that_differ_are_counted() -> None:
    before = a_picture([0, 0], [0, 0], [0, 0])
    assert before.changed_rows(before) == 0
    assert before.changed_rows(a_picture([0, 0], [0, 9], [9, 9])) == 2
    assert before.changed_rows(a_picture([0, 0])) == 3, "another size is another picture"


def test_a_screenshot_that_is_none_is_the_harness_s_error() -> None:
    whole = io.BytesIO()
    png.Writer(2, 1, greyscale=False, bitdepth=8).write(whole, [[0] * 6])
    data = whole.getvalue()
    for bad in (b"", b"GIF", data[:-20], data[:30] + b"xx" + data[32:], data[:33]):
        with pytest.raises(HarnessError, match="screenshot"):
            Picture.from_png(bad)


@pytest.mark.parametrize(
    "ppm",
    [
        b"",
        b"P6 2 2",
        b"P6 x 2 255\n" + bytes(12),
        b"P6 0 0 255\n",
        b"P6 2 2 255\n" + bytes(5),
        b"P6 2 2 255",
        b"P6 -1 2 255\n" + bytes(12),
        b"P6 " + b"9" * 5000 + b" 2 255\n" + bytes(12),
    ],
)
def test_a_damaged_pixmap_is_the_hypervisor_s_error(ppm: bytes) -> None:
    with pytest.raises(HypervisorError, match="screenshot"):
        as_png(ppm)
