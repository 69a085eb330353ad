"""`guestcert images`: the base images of guests."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from harness.cli.clean import HypervisorOption
from harness.cli.guest_profiles import sound_profiles
from harness.cli.options import AcceleratorOption
from harness.cli.output import echo
from harness.errors import HarnessError
from harness.image_store.image_choice import recipe_named
from harness.image_store.places import store_root
from harness.image_store.recipe import recipe_ids
from harness.image_store.store import ImageStore
from harness.lab.images import image_store
from harness.results.store import new_run_id

app = typer.Typer(no_args_is_help=True)


@app.command("list")
def list_images() -> None:
    """List the images in the store."""
    table = Table(box=None, pad_edge=False)
    for column in ("image", "built", "last used", "MiB", "sha256"):
        table.add_column(column)
    for stored in ImageStore(store_root()).images():
        moments = (f"{m:%Y-%m-%d %H:%M}" for m in (stored.provenance.made, stored.used))
        size = stored.size // (1024 * 1024)
        table.add_row(stored.image.name, *moments, str(size), stored.image.digest[:16])
    Console(markup=False).print(table)
    echo(f"recipes: {', '.join(recipe_ids())}")


@app.command()
def build(
    recipe: Annotated[list[str], typer.Argument(help="Ids of recipes in images/, or of guests.")],
    hypervisor: HypervisorOption = None,
    accelerator: AcceleratorOption = None,
) -> None:
    """Build the images of recipes or of guests, unless the store has them."""
    root, profiles = store_root(), sound_profiles()
    wanted = [recipe_named(name, profiles, root) for name in recipe]
    run = f"image-{new_run_id()}"
    with image_store(root, run, hypervisor, accelerator) as store:
        for one in wanted:
            image = store.base_image(one, lambda step: echo(step, err=True))
            echo(str(image.path))


@app.command()
def verify() -> None:
    """Check the content of every image against its recorded digest."""
    bad = ImageStore(store_root()).verify()
    if bad:
        raise HarnessError(
            "altered since they were built: " + ", ".join(image.name for image in bad),
            remedy="their next use builds them again; `guestcert images prune` removes others",
        )
    echo("all images match their digests")


@app.command()
def prune(
    older_than: Annotated[
        int | None, typer.Option(min=0, metavar="DAYS", help="Those unused for so many days.")
    ] = None,
    max_size: Annotated[
        int | None,
        typer.Option(min=0, metavar="GIB", help="The longest unused, until the rest fits."),
    ] = None,
) -> None:
    """Remove images without a present recipe (copies of yours too), or by age and size."""
    removed = ImageStore(store_root()).prune(
        unused_for=timedelta(days=older_than) if older_than is not None else None,
        most_bytes=max_size * 2**30 if max_size is not None else None,
    )
    for folder in removed:
        echo(f"removed {folder}")
