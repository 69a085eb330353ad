"""Hyper-V's picture of a display."""

from __future__ import annotations

import base64
import io
import struct

import png
import pytest

from harness.errors import HypervisorError
from harness.hypervisors.hyperv.screen import as_png


def test_each_colour_is_where_it_was() -> None:
    pixels = struct.pack("<6H", 0xF800, 0x07E0, 0x001F, 0x0000, 0xFFFF, 0x8410)
    made = as_png(base64.b64encode(pixels).decode(), width=3, height=2)
    width, height, rows, _ = png.Reader(io.BytesIO(made)).read()
    assert (width, height) == (3, 2)
    first, second = (list(row) for row in rows)
    assert first == [255, 0, 0, 0, 255, 0, 0, 0, 255]
    assert second == [0, 0, 0, 255, 255, 255, 132, 130, 132]


def test_a_picture_of_another_size_is_an_error() -> None:
    with pytest.raises(HypervisorError, match="has 2 bytes, but 3 by 2 pixels need 12"):
        as_png(base64.b64encode(b"xx").decode(), width=3, height=2)


def test_a_picture_that_is_not_base64_is_an_error() -> None:
    with pytest.raises(HypervisorError, match="not base64"):
        as_png("x", width=3, height=2)
