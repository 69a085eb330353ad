"""Messages of PowerShell remoting, and the fragments in which they travel."""

from __future__ import annotations

import itertools
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID
from xml.etree.ElementTree import tostring

from pypsrp.messages import Destination, PipelineOutput
from pypsrp.powershell import Fragment
from pypsrp.serializer import Serializer

FRAGMENT_SIZE = 32 * 1024  # Windows' own
HEADER_SIZE = 40  # of a message: destination, type, pool, pipeline
NO_PIPELINE = UUID(int=0)


class Content(Protocol):
    """One of pypsrp's messages."""

    MESSAGE_TYPE: int


@dataclass(frozen=True)
class Received:
    """A message of the client, whole; `payload` is its XML."""

    kind: int
    pipeline: UUID
    payload: bytes


@dataclass
class Assembler:
    """Puts a client's messages together; their fragments may come in several requests."""

    _parts: dict[int, list[bytes]] = field(default_factory=dict)

    def feed(self, data: bytes) -> Iterator[Received]:
        """Every message that these fragments complete."""
        while data:
            fragment, data = Fragment.unpack(data)
            parts = self._parts.setdefault(fragment.object_id, [])
            if fragment.fragment_id != len(parts):
                raise ValueError(
                    f"fragment {fragment.fragment_id} of message {fragment.object_id}"
                    f" came after {len(parts)}"
                )
            parts.append(fragment.data)
            if fragment.end:
                yield _received(b"".join(self._parts.pop(fragment.object_id)))


def _received(message: bytes) -> Received:
    # pypsrp's own Message.unpack cannot read what only a client sends: the end of the input, which
    # has no content, and a description of the client's console.
    kind = int.from_bytes(message[4:8], "little")
    pipeline = UUID(bytes_le=message[24:HEADER_SIZE])
    return Received(kind, pipeline, message[HEADER_SIZE:].removeprefix(b"\xef\xbb\xbf"))


class Fragmenter:
    """Cuts the server's messages into fragments, under numbers that rise through a pool's life."""

    def __init__(self, pool: UUID) -> None:
        self._pool = pool
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def cut(self, content: Content, pipeline: UUID, serializer: Serializer) -> list[bytes]:
        """The fragments of one message of a pipeline, or with NO_PIPELINE of the pool."""
        header = struct.pack("<II", Destination.CLIENT, content.MESSAGE_TYPE)
        value = content.data if isinstance(content, PipelineOutput) else content
        element = serializer.serialize(value)
        assert element is not None
        message = b"".join(
            (header, self._pool.bytes_le, pipeline.bytes_le, tostring(element, encoding="utf-8"))
        )
        with self._lock:
            number = next(self._numbers)
        starts = range(0, len(message), FRAGMENT_SIZE)
        return [
            Fragment(
                number,
                index,
                message[start : start + FRAGMENT_SIZE],
                start=start == 0,
                end=start + FRAGMENT_SIZE >= len(message),
            ).pack()
            for index, start in enumerate(starts)
        ]
