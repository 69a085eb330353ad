"""The paths of the project's data files."""

from __future__ import annotations

from pathlib import Path


def project_root() -> Path:
    """The root of the checkout, with harness/, guest_profiles/, suites/ and images/."""
    return Path(__file__).resolve().parents[2]


def profiles_folder() -> Path:
    """The folder of the profiles."""
    return project_root() / "guest_profiles"


def catalogue_file() -> Path:
    """The feature catalogue."""
    return project_root() / "suites" / "catalogue.yaml"


def recipes_folder() -> Path:
    """The folder of the base image recipes."""
    return project_root() / "images"
