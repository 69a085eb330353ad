"""`guestcert images`: the base images that guests are made from."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from harness.errors import HarnessError
from harness.image_store.places import store_root
from harness.image_store.recipe import recipe_ids
from harness.image_store.store import ImageStore

app = typer.Typer(no_args_is_help=True)


@app.command("list")
def list_images() -> None:
    """List the images in the store."""
    table = Table(box=None, pad_edge=False)
    for column in ("image", "made", "MiB", "sha256"):
        table.add_column(column)
    for image, provenance in ImageStore(store_root()).images():
        size = image.path.stat().st_size // (1024 * 1024)
        table.add_row(image.name, str(provenance.get("built", "")), str(size), image.digest[:16])
    Console().print(table)
    typer.echo(f"recipes: {', '.join(recipe_ids())}")


@app.command()
def build(recipe: Annotated[str, typer.Argument(help="The id of a recipe in images/.")]) -> None:
    """Build the image of a recipe, unless the store has it."""
    image = ImageStore(store_root()).base_image(recipe, lambda step: typer.echo(step, err=True))
    typer.echo(str(image.path))


@app.command()
def verify() -> None:
    """Check the content of every image against its recorded digest."""
    bad = ImageStore(store_root()).verify()
    if bad:
        raise HarnessError(
            "altered since they were made: " + ", ".join(image.name for image in bad),
            remedy="they are made anew at their next use; `guestcert images prune` removes others",
        )
    typer.echo("all images are as they were made")


@app.command()
def prune() -> None:
    """Remove every image that no present recipe makes, copies of your own images included."""
    for folder in ImageStore(store_root()).prune():
        typer.echo(f"removed {folder}")
