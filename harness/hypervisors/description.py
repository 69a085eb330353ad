"""The file name of a machine's description in the evidence."""

from __future__ import annotations

ENDINGS = {"<": "xml", "{": "json"}


def description_file(text: str) -> str:
    """`machine.xml` for libvirt's XML, `machine.json` for Hyper-V's settings, else `.txt`."""
    return f"machine.{ENDINGS.get(text.lstrip()[:1], 'txt')}"
