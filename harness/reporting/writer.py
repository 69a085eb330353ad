"""Writes the reports of a run into its directory."""

from __future__ import annotations

from collections.abc import Sequence

from harness.features.catalogue import Feature
from harness.reporting.allure import write_allure_extras
from harness.reporting.certificate import write_certificates
from harness.reporting.junit import write_junit
from harness.reporting.site import write_site
from harness.results.model import RunRecord
from harness.results.store import RunDirectory, write_run


def write_reports(run: RunRecord, directory: RunDirectory, catalogue: Sequence[Feature]) -> None:
    """Write run.json first, since all other reports can be made from it."""
    write_run(run, directory)
    write_certificates(run, directory)
    write_junit(run, directory.junit)
    write_allure_extras(run, directory.allure_results)
    write_site(run, directory, catalogue)
