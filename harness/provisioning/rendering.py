"""Renders answer file templates; a user's templates override the built-in ones or extend them."""

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
from harness.provisioning.escaping import AnswerFormat, Verbatim, for_format

BUILT_IN = "guestcert"
"""Prefix of the built-in templates: `{% extends "guestcert/preseed.cfg.j2" %}`."""


class TemplateAnswers(Protocol):
    """The variable `answers` of a template: the answers for one guest."""

    @property
    def profile(self) -> Profile:
        """The guest's profile."""
        ...


def overrides_folder() -> Path:
    """The folder of the user's templates: for every guest, and in a subfolder for one guest."""
    return recipes_folder() / "answers"


def _concat(parts: Iterable[str]) -> Verbatim:
    return Verbatim("".join(parts))


class _Environment(jinja2.sandbox.ImmutableSandboxedEnvironment):
    """A sandbox: a template reaches its variables, and no Python internals.

    The output of macros and `super()` is escaped already, and not escaped again.
    """

    concat = staticmethod(_concat)


def render(
    template: str, format: AnswerFormat, answers: TemplateAnswers, folder: Path | None = None
) -> str:
    """The rendered text of a built-in template, or of the user's template that overrides it.

    Raises UsageError if a value does not fit the format, or a user's template is wrong.
    """
    folder = folder or overrides_folder()
    environment = _environment(format, folder, answers)
    try:
        text: str = environment.get_template(template).render(answers=answers)
    except jinja2.TemplateError as error:
        raise UsageError(
            f"the template {_position(error, template)} cannot be rendered: {error}",
            remedy=f"correct it; your templates are in {folder}",
        ) from error
    return text


def _environment(
    format: AnswerFormat, folder: Path, answers: TemplateAnswers
) -> jinja2.Environment:
    built_in = jinja2.PackageLoader("harness.provisioning")
    loader = jinja2.ChoiceLoader(
        [
            jinja2.FileSystemLoader([folder / answers.profile.id, folder]),
            jinja2.PrefixLoader({BUILT_IN: built_in}),
            built_in,
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
        """A built-in shell script in base64, which no format needs to escape."""
        return Verbatim(
            base64.b64encode(render(name, AnswerFormat.SHELL, answers, folder).encode()).decode()
        )

    environment.globals |= {
        "script": script,
        "verbatim": Verbatim,
        "quoted": lambda value: Verbatim(for_format(format)(value)),
    }
    return environment


def _position(error: jinja2.TemplateError, template: str) -> str:
    if isinstance(error, jinja2.TemplateSyntaxError):
        return f"{error.filename or error.name}:{error.lineno}"
    return template
