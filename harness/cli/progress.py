"""The progress of a run: live lines in a terminal, plain lines elsewhere."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from types import TracebackType

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from harness.lab.live import LiveState, live_states
from harness.results.model import OutcomeRecord
from harness.results.outcome_log import complete_length
from harness.results.outcomes import Outcome
from harness.results.store import RunDirectory
from harness.text import sanitize, sanitize_line


class RunProgress:
    """A line for each outcome as it comes; in a terminal also one for each busy worker."""

    def __init__(self, directory: RunDirectory, live: Path) -> None:
        self._outcomes = directory.outcomes
        self._live_folder = live
        self._console = Console(no_color="NO_COLOR" in os.environ or None, soft_wrap=False)
        self._live = Live(console=self._console, auto_refresh=False, transient=True)
        self._read = complete_length(directory)  # the outcomes before a resume were shown already
        self._shown: dict[str, str] = {}

    def __enter__(self) -> RunProgress:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._live.stop()

    def update(self) -> None:
        """Show the changes since the last call."""
        self._show_outcomes()
        states = list(live_states(self._live_folder))
        if self._console.is_terminal:
            self._live.update(_table(states), refresh=True)
        else:
            self._print_states(states)

    def _show_outcomes(self) -> None:
        if not self._outcomes.exists():
            return
        with self._outcomes.open(encoding="utf-8") as file:
            file.seek(self._read)
            while line := file.readline():
                if not line.endswith("\n"):
                    break  # incomplete: the next call reads it
                self._read = file.tell()
                self._show(OutcomeRecord.model_validate(json.loads(line)))

    def _show(self, outcome: OutcomeRecord) -> None:
        text = Text()
        text.append(f"{outcome.outcome:<14}", outcome.outcome.traits.style)
        text.append(f" {outcome.seconds:6.1f} s  {outcome.guest} {outcome.variant:<5} ")
        text.append(f"{outcome.feature}: {outcome.title or outcome.case}")
        text.append(f" [{outcome.parameters}]" if outcome.parameters else "")
        self._console.print(text, soft_wrap=True)
        if outcome.reason and outcome.outcome is not Outcome.PASSED:
            first, _, _ = outcome.reason.strip().partition("\n")
            reason = Text(f"               {sanitize(first, 300)}", "dim")
            self._console.print(reason, soft_wrap=True)

    def _print_states(self, states: list[LiveState]) -> None:
        """Without a terminal, print the long steps: images and first boots."""
        for state in states:
            if state.state == self._shown.get(state.worker):
                continue
            self._shown[state.worker] = state.state
            if state.state not in ("running", "restoring"):
                line = sanitize_line(f"{state.worker}: {state.state}")
                self._console.print(line, soft_wrap=True, markup=False)
        sys.stdout.flush()


def _table(states: list[LiveState]) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False)
    for state in states:
        elapsed = f"{time.time() - state.since:.0f} s"
        table.add_row(
            Text(sanitize_line(state.guest or state.worker), "bold"),
            Text(sanitize_line(state.state), "cyan"),
            elapsed,
            Text(sanitize_line(state.case)),
            Text(state.newest_line(), "dim", overflow="ellipsis", no_wrap=True),
        )
    return table
