"""Renders the templates of answer files; a user's own go before ours, and may extend them."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

import jinja2
import jinja2.sandbox

from harness.errors import UsageError
from harness.profiles.model import Profile
from harness.profiles.places import recipes_folder
from harness.provisioning.escaping import Format, Verbatim, for_format

OURS = "guestcert"
"""What a user's template extends: `{% extends "guestcert/preseed.cfg.j2" %}`."""


class Answers(Protocol):
    """What a template is given as `answers`: the answers for one guest."""

    @property
    def profile(self) -> Profile:
        """Whose guest it is."""
        ...


def overrides_folder() -> Path:
    """The user's own templates: for every guest, and in a folder for one guest."""
    return recipes_folder() / "answers"


def _concat(parts: Iterable[str]) -> Verbatim:
    return Verbatim("".join(parts))


class _Environment(jinja2.sandbox.ImmutableSandboxedEnvironment):
    """A template reaches what it is given, and nothing of Python's behind it.

    What macros and `super()` give has been escaped already, and is not escaped again.
    """

    concat = staticmethod(_concat)


def render(template: str, format: Format, answers: Answers, folder: Path | None = None) -> str:
    """The text of a template of ours, or of the user's that takes its place.

    Raises UsageError where a value can not stand in that format, or a user's template is wrong.
    """
    folder = folder or overrides_folder()
    environment = _environment(format, folder, answers)
    try:
        text: str = environment.get_template(template).render(answers=answers)
    except jinja2.TemplateError as error:
        raise UsageError(
            f"the template {_place(error, template)} can not be rendered: {error}",
            remedy=f"correct it; the templates of your own are in {folder}",
        ) from error
    return text


def _environment(format: Format, folder: Path, answers: Answers) -> jinja2.Environment:
    ours = jinja2.PackageLoader("harness.provisioning")
    loader = jinja2.ChoiceLoader(
        [
            jinja2.FileSystemLoader([folder / answers.profile.id, folder]),
            jinja2.PrefixLoader({OURS: ours}),
            ours,
        ]
    )
    environment = _Environment(
        loader=loader,
        undefined=jinja2.StrictUndefined,
        finalize=for_format(format),
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )

    def script(name: str) -> Verbatim:
        """A shell script of ours, in base64: it needs no escaping in any format."""
        return Verbatim(
            base64.b64encode(render(name, Format.SHELL, answers, folder).encode()).decode()
        )

    environment.globals |= {
        "script": script,
        "verbatim": Verbatim,
        "quoted": lambda value: Verbatim(for_format(format)(value)),
    }
    return environment


def _place(error: jinja2.TemplateError, template: str) -> str:
    if isinstance(error, jinja2.TemplateSyntaxError):
        return f"{error.filename or error.name}:{error.lineno}"
    return template
