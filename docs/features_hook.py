"""Fills docs/reference/features.md with the feature catalogue when the documentation is built."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from harness.features.catalogue import Feature, load_catalogue

PLACE = "<!-- every feature of the catalogue -->"


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Put the tables where the page leaves room for them (a hook of mkdocs)."""
    return markdown.replace(PLACE, features_in_words())


def features_in_words() -> str:
    """A table for each suite."""
    parts = []
    for suite, features in groupby(load_catalogue(), lambda feature: feature.suite):
        rows = "\n".join(_row(feature) for feature in features)
        heading = "| feature | promise | severity | from tier | on Hyper-V | on QEMU/KVM |"
        parts.append(f"## {suite.capitalize()}\n\n{heading}\n|---|---|---|---|---|---|\n{rows}\n")
    return "\n".join(parts)


def _row(feature: Feature) -> str:
    state = " (planned)" if feature.planned else ""
    cells = (
        f"`{feature.id}`<br>{feature.title}{state}",
        feature.meaning,
        str(feature.severity),
        str(feature.tier),
        feature.microsoft or "",
        feature.qemu,
    )
    return "| " + " | ".join(cells) + " |"
