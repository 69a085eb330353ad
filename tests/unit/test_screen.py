"""What is seen on a picture of a screen."""

from __future__ import annotations

import io

import png

from harness.guests.screen import Picture


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
