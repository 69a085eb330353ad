"""Images of other makers, and how much of guestcert runs over them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.image_store.places import store_root
from harness.image_store.recipe import load_recipe
from harness.image_store.store import ImageStore
from tests.e2e.conftest import GUEST, certify
from tests.foreign.makers import Maker
from tests.foreign.workshop import make_image

__all__ = ["certify"]

ONCE_FAILED = "test_network or test_save_restore or test_disk or test_console"
"""Cases above the smoke tier that healthy images of other makers have failed."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--every-case", action="store_true", help="run the standard tier over each image"
    )


@pytest.fixture
def more_cases(request: pytest.FixtureRequest) -> str:
    """The keywords of the cases that run beside the smoke tier; none: every case."""
    return "" if request.config.getoption("--every-case") else ONCE_FAILED


@pytest.fixture
def image(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """The image of the test's maker; removed afterwards, since it is large."""
    if os.geteuid() != 0:
        pytest.skip("other makers' images are made on loop devices, by root alone")
    maker = request.param
    assert isinstance(maker, Maker)
    folder = tmp_path / "workshop"
    folder.mkdir()
    base = ImageStore(store_root()).base_image(load_recipe(GUEST))
    made = make_image(maker, base.path, folder)
    yield made
    made.unlink()
