"""Screenshots of a guest, decoded as far as a case needs."""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import dataclass

import png

from harness.errors import HarnessError


@dataclass(frozen=True)
class Picture:
    """A screen's rows from the top, three bytes (red, green, blue) for each pixel."""

    rows: tuple[bytes, ...]

    @classmethod
    def from_png(cls, data: bytes) -> Picture:
        """Decode a screenshot; raises HarnessError for other data."""
        try:
            _, _, rows, _ = png.Reader(file=io.BytesIO(data)).asRGB8()
            picture = cls(tuple(bytes(row) for row in rows))
        except (png.Error, zlib.error, struct.error, EOFError, ValueError) as error:
            raise HarnessError(f"the screenshot cannot be decoded: {error}") from error
        if not picture.rows or not picture.rows[0]:
            raise HarnessError("the screenshot has no pixels")
        return picture

    @property
    def blank(self) -> bool:
        """Whether every pixel is the same."""
        first = self.rows[0][:3]
        return all(row == first * (len(row) // 3) for row in self.rows)

    def changed_rows(self, other: Picture) -> int:
        """The number of rows that differ; all of them where the sizes differ."""
        if len(self.rows) != len(other.rows):
            return max(len(self.rows), len(other.rows))
        return sum(mine != theirs for mine, theirs in zip(self.rows, other.rows, strict=True))
