"""Renders the pages of templates/: escaped, self-contained, undefined names refused."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from harness.reporting.phrases import scope_words, status_word, verdict_word
from harness.text import sanitize


def page(template: str, **values: Any) -> str:
    """The rendered template. All values are escaped; templates sanitize those of guests."""
    environment = Environment(
        loader=PackageLoader("harness.reporting"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "sanitize": sanitize,
        "duration": duration,
        "link": link,
        "verdict_word": verdict_word,
        "status_word": status_word,
        "scope_words": scope_words,
    }
    return environment.get_template(template).render(**values)


def duration(seconds: float) -> str:
    """Seconds for people."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{int(seconds // 60)} min {int(seconds % 60)} s"


def link(path: str) -> Markup | str:
    """A link to a file of evidence in the run directory; for any other path just its name."""
    pure = PurePosixPath(path)
    name = sanitize(pure.name, 80)
    if pure.is_absolute() or ".." in pure.parts:
        return name
    if pure.suffix == ".png":
        return Markup(
            '<a class="shot" href="../{0}"><img loading="lazy" src="../{0}" alt="{1}"></a>'
        ).format(path, name)
    return Markup('<a href="../{}">{}</a>').format(path, name)
