"""Hyper-V's picture of a display as a PNG."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator

import png

from harness.errors import HypervisorError


def as_png(pixels: str, width: int, height: int) -> bytes:
    """A PNG of base64 pixels in RGB565, each of two bytes, the lower one first.

    Raises HypervisorError where they are none, or not as many as the size says.
    """
    try:
        raw = base64.b64decode(pixels)
    except ValueError as error:
        raise HypervisorError(f"the host's picture is not base64: {error}") from error
    if len(raw) != width * height * 2:
        raise HypervisorError(
            f"the host's picture has {len(raw)} bytes, and {width} by {height} pixels take "
            f"{width * height * 2}"
        )
    target = io.BytesIO()
    rows = (_row(raw[line * width * 2 : (line + 1) * width * 2]) for line in range(height))
    png.Writer(width, height, greyscale=False, bitdepth=8).write(target, rows)
    return target.getvalue()


def _row(raw: bytes) -> bytearray:
    return bytearray(_colours(raw))


def _colours(raw: bytes) -> Iterator[int]:
    for low, high in zip(raw[::2], raw[1::2], strict=True):
        pixel = high << 8 | low
        red, green, blue = pixel >> 11, pixel >> 5 & 0x3F, pixel & 0x1F
        # The high bits again below the low ones, so that the brightest is 255.
        yield red << 3 | red >> 2
        yield green << 2 | green >> 4
        yield blue << 3 | blue >> 2
