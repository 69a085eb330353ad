"""The `guestcert` command."""

from __future__ import annotations

import signal
import sys
from types import FrameType
from typing import Annotated

import typer

import harness
from harness.cli import certify, clean, compare, doctor, images, matrix, media, profiles, resume
from harness.cli.failures import duplicate_output, report_failure
from harness.cli.options import PytestCommand
from harness.cli.pytest_process import INTERRUPTED

app = typer.Typer(
    name="guestcert",
    help="Certifies guest operating systems on a hypervisor.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("certify", cls=PytestCommand)(certify.certify)
app.command("clean")(clean.clean)
app.command("compare")(compare.compare)
app.command("doctor")(doctor.doctor)
app.command("matrix")(matrix.matrix)
app.command("resume", cls=PytestCommand)(resume.resume)
app.add_typer(profiles.app, name="profiles", help="The profiles of guests.")
app.add_typer(images.app, name="images", help="The base images of guests.")
app.add_typer(media.app, name="media", help="The installation media of guests.")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"guestcert {harness.__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Certifies guest operating systems on a hypervisor."""


def _stop(number: int, frame: FrameType | None) -> None:
    """End as on Ctrl-C: what a command has started, such as a build, is cleaned up."""
    sys.exit(INTERRUPTED)


def main() -> None:
    """Run the command. A failure is reported in one sentence and has its own exit status."""
    output = duplicate_output()
    signal.signal(signal.SIGTERM, _stop)
    try:
        app()
    except SystemExit as ended:
        # Typer and rich end with 1 where a pipe is closed, and 1 is a verdict here.
        if not isinstance(ended.__context__, BrokenPipeError):
            raise
        sys.exit(report_failure(ended.__context__, output))
    except Exception as error:
        sys.exit(report_failure(error, output))
