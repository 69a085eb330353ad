"""The controller of a run: shows outcomes; at the end it reaps, judges and reports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from harness.errors import HarnessError
from harness.hypervisors.base import Hypervisor
from harness.hypervisors.connection import open_hypervisor
from harness.lab.reaper import reap_run
from harness.lab.renewal import LeaseRenewal
from harness.lab.workspace import Workspace
from harness.plugin.recorder import Recorder
from harness.plugin.report_text import sanitize_shown
from harness.plugin.worker import PHASE, RECORD, REPORTED
from harness.reporting.terminal import summary
from harness.results.model import Completion, RunRecord
from harness.results.outcomes import Outcome
from harness.results.store import EXIT_BROKEN, exit_code
from harness.text import sanitize


class Controller:
    """The hooks of the controlling process; xdist's workers have none of them."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._completion = Completion.COMPLETE
        self._run: RunRecord | None = None
        self._trouble: list[str] = []
        context = recorder.context
        self._workspace = Workspace(context.store, context.owner)
        self._renewal = LeaseRenewal(self._workspace, lambda: open_hypervisor(context.hypervisor))

    def pytest_sessionstart(self) -> None:
        """Renew the leases of the run's resources, so that they never count as stale."""
        self._renewal.start()

    def pytest_configure_node(self, node: Any) -> None:
        """Pass the run's context to an xdist worker."""
        node.workerinput["guestcert"] = self._recorder.context.to_json()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take a finished case's record."""
        self._recorder.take(report)

    def pytest_report_teststatus(
        self, report: pytest.TestReport
    ) -> tuple[str, str, str | tuple[str, Mapping[str, bool]]] | None:
        """Show a case's outcome: a failed phase at once, any other when the case has ended."""
        phase = getattr(report, PHASE, None)
        if phase is not None:
            return _shown(Outcome(phase))
        document = getattr(report, RECORD, None)
        if document is not None and not getattr(report, REPORTED):
            return _shown(Outcome(document["outcome"]))
        return ("", "", "") if report.when in ("setup", "call", "teardown") else None

    @pytest.hookimpl(tryfirst=True)
    def pytest_internalerror(self, excrepr: Any) -> None:
        """Remove control characters from an internal error before it is shown."""
        sanitize_shown(excrepr)

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Record that the run ended early; xdist's -x comes here too."""
        by_user = excinfo.type is KeyboardInterrupt
        self._completion = Completion.INTERRUPTED if by_user else Completion.STOPPED

    @pytest.hookimpl(trylast=True)  # after xdist has ended its workers
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Remove leftovers, judge, write the reports, and set the exit status."""
        recorder = self._recorder
        complete = self._completion is Completion.COMPLETE
        if complete and (
            session.shouldfail
            or session.shouldstop
            or session.exitstatus == pytest.ExitCode.INTERNAL_ERROR
        ):
            self._completion = Completion.STOPPED
        if not recorder.outcomes and complete and session.testscollected == 0:
            self._end_renewal()
            self._workspace.remove()
            return
        recorder.note_guests()
        hypervisor = self._connect()
        self._clean_up(hypervisor)
        try:
            self._run = recorder.finish(hypervisor, self._completion)
        except OSError as error:
            self._trouble.append(f"the reports could not be written: {error}")
            session.exitstatus = EXIT_BROKEN
        if hypervisor is not None:
            hypervisor.close()
        judged = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
        if self._run is not None and session.exitstatus in judged:
            session.exitstatus = exit_code(self._run)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Show verdicts, certificates, time accounting and the report's path."""
        for line in self._trouble:
            terminalreporter.line(f"guestcert: {sanitize(line)}", red=True)
        if self._run is not None:
            terminalreporter.section("certification")
            colour = terminalreporter.hasmarkup
            terminalreporter.write(summary(self._run, self._recorder.directory, colour=colour))

    def _connect(self) -> Hypervisor | None:
        try:
            return open_hypervisor(self._recorder.context.hypervisor)
        except HarnessError as error:
            self._trouble.append(str(error))
            return None

    def _end_renewal(self) -> None:
        self._renewal.close()
        if self._renewal.trouble:
            self._trouble.append(self._renewal.trouble)

    def _clean_up(self, hypervisor: Hypervisor | None) -> None:
        context = self._recorder.context
        self._end_renewal()
        if hypervisor is not None:
            reaped = reap_run(hypervisor, context.store, context.run)
            self._trouble += [f"could not be removed: {what}" for what in reaped.failed]


def _shown(outcome: Outcome) -> tuple[str, str, tuple[str, Mapping[str, bool]]]:
    """Pytest's category, letter and word of an outcome, in pytest's names of colours."""
    traits = outcome.traits
    category = "error" if outcome is Outcome.BROKEN else traits.label
    colours = traits.style.replace("magenta", "purple").split()
    return category, traits.letter, (traits.label.upper(), dict.fromkeys(colours, True))
