"""Sanitizing of foreign text, and natural sorting of names."""

from __future__ import annotations

import re

LIMIT = 4000
"""Limit of shown guest text in characters."""

KEPT = {"\n", "\t"}

INVISIBLE = frozenset(
    chr(code)
    for first, last in (
        (0x7F, 0x9F),  # DEL, and the C1 controls: a terminal takes U+009B for ESC [
        (0x061C, 0x061C),  # Arabic letter mark
        (0x200E, 0x200F),  # marks that turn the direction of text
        (0x2028, 0x202E),  # line and paragraph separators, embeddings and overrides
        (0x2066, 0x206F),  # isolates, and deprecated formatting
        (0xD800, 0xDFFF),  # lone surrogates
        (0xFFF9, 0xFFFB),  # interlinear annotations
        (0xFFFE, 0xFFFF),  # noncharacters, invalid in XML
    )
    for code in range(first, last + 1)
)
"""Invisible characters that act on a terminal or mislead its reader.

Source: Unicode Standard Annex 9 (directional formatting); ECMA-48 (C1); XML 1.0, production 2.
"""


def sanitize(text: str, limit: int | None = LIMIT) -> str:
    """`text` without characters that act on a terminal, its reader or an XML parser.

    Bounded to `limit` characters, with a mark if cut; None: the size is bounded already.
    """
    cut = limit is not None and len(text) > limit
    if cut:
        text = text[:limit]
    shown = text if text.isprintable() else "".join(map(_sign, text))
    return shown + (" [cut]" if cut else "")


def sanitize_line(text: str, limit: int | None = LIMIT) -> str:
    """The same on one line, with white space reduced to single spaces."""
    return " ".join(sanitize(text, limit).split())


def _sign(character: str) -> str:
    if character in KEPT:
        return character
    if character < " ":
        return chr(0x2400 + ord(character))  # Unicode's pictures of control characters
    return "\N{REPLACEMENT CHARACTER}" if character in INVISIBLE else character


def natural_order(name: str) -> list[tuple[bool, int, str]]:
    """Natural sort key: image-9 before image-10, and numbers before words.

    Numbers compare as padded text, so that long ones need no conversion.
    """
    key = []
    for part in re.findall(r"[0-9]+|[^0-9]+", name):
        digits = part.lstrip("0") if part[0] in "0123456789" else ""
        key.append((part[0] not in "0123456789", len(digits), digits or part))
    return key
