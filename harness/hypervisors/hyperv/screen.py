"""Hyper-V's screenshot as a PNG."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator

import png

from harness.errors import HypervisorError


def as_png(pixels: str, width: int, height: int) -> bytes:
    """A PNG of base64 pixels in RGB565, little-endian.

    Raises HypervisorError for invalid base64, or a number of pixels that differs from the size.
    """
    try:
        raw = base64.b64decode(pixels)
    except ValueError as error:
        raise HypervisorError(f"the host's screenshot is not base64: {error}") from error
    if len(raw) != width * height * 2:
        raise HypervisorError(
            f"the host's screenshot has {len(raw)} bytes, but {width} by {height} pixels need "
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
        # The high bits are repeated below the low ones, so that the brightest value is 255.
        yield red << 3 | red >> 2
        yield green << 2 | green >> 4
        yield blue << 3 | blue >> 2
