"""Makes a guest's words harmless to show: control characters become visible signs."""

from __future__ import annotations

LIMIT = 4000
"""Characters of a guest's words that are shown in one place."""

KEPT = {"\n", "\t"}


def harmless(text: str, limit: int = LIMIT) -> str:
    """`text`, bounded, without characters that would act on a terminal or break an XML file."""
    shown = "".join(_sign(character) for character in text[:limit])
    return shown + (" [cut]" if len(text) > limit else "")


def _sign(character: str) -> str:
    if character in KEPT:
        return character
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)  # Unicode's pictures of control characters
    if 0x7F <= code < 0xA0 or 0x202A <= code <= 0x202E or 0x2066 <= code <= 0x2069:
        return "\N{REPLACEMENT CHARACTER}"  # C1 controls, and what turns the direction of text
    if 0xD800 <= code <= 0xDFFF or code in (0xFFFE, 0xFFFF):
        return "\N{REPLACEMENT CHARACTER}"
    return character
