"""Where the project's data files are."""

from __future__ import annotations

from pathlib import Path


def project_root() -> Path:
    """The checkout: the folder that holds harness/, guest_profiles/, suites/ and images/."""
    return Path(__file__).resolve().parents[2]


def profiles_folder() -> Path:
    """The folder with one YAML file for each guest."""
    return project_root() / "guest_profiles"


def catalogue_file() -> Path:
    """The list of features."""
    return project_root() / "suites" / "catalogue.yaml"


def recipes_folder() -> Path:
    """The folder with one YAML file for each recipe of a base image."""
    return project_root() / "images"
