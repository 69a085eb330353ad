"""Display and keyboard through libvirt."""

from __future__ import annotations

import io

import libvirt
import png

from harness.errors import HypervisorError
from harness.hypervisors.facets.display import Key
from harness.hypervisors.libvirt.domain import Domain
from harness.hypervisors.libvirt.errors import wrap_errors

KEY_CODES = {Key.ENTER: 28, Key.SPACE: 57}
"""Linux key codes (linux/input-event-codes.h)."""

KEY_MILLISECONDS = 100
SCREEN_LIMIT = 64 * 1024 * 1024


class LibvirtDisplay:
    """See Display."""

    def __init__(self, domain: Domain) -> None:
        self._domain = domain

    def screenshot(self) -> bytes:
        """See Display."""
        stream = self._domain.connection.newStream(0)
        data = bytearray()
        with wrap_errors(f"taking a screenshot of {self._domain.name}"):
            self._domain.handle.screenshot(stream, 0, 0)
            while (chunk := stream.recv(65536)) and len(data) < SCREEN_LIMIT:
                data += chunk
            stream.finish()
        return as_png(bytes(data))


class LibvirtKeyboard:
    """See Keyboard."""

    def __init__(self, domain: Domain) -> None:
        self._domain = domain

    def press(self, key: Key) -> None:
        """See Keyboard."""
        codes = [KEY_CODES[key]]
        with wrap_errors(f"pressing a key of {self._domain.name}"):
            self._domain.handle.sendKey(
                libvirt.VIR_KEYCODE_SET_LINUX, KEY_MILLISECONDS, codes, len(codes), 0
            )


def as_png(ppm: bytes) -> bytes:
    """A PNG of a binary portable pixmap (P6), the format of QEMU's screendump."""
    if ppm.startswith(b"\x89PNG"):
        return ppm
    fields = ppm.split(maxsplit=3)
    if len(fields) < 4 or fields[0] != b"P6":
        raise HypervisorError("the hypervisor's screenshot is neither PNG nor PPM")
    target = io.BytesIO()
    try:
        width, height = int(fields[1]), int(fields[2])
        pixels = fields[3][fields[3].index(b"\n") + 1 :]
        rows = (pixels[row * width * 3 : (row + 1) * width * 3] for row in range(height))
        png.Writer(width, height, greyscale=False, bitdepth=8).write(target, rows)
    except (ValueError, OverflowError, png.Error) as error:
        raise HypervisorError(f"the hypervisor's screenshot is damaged: {error}") from error
    return target.getvalue()
