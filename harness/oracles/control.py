"""Controls: the half of a case that must hold for its other half to mean anything."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from harness.errors import ControlFailedError, GuestCrashed


@contextmanager
def control() -> Iterator[None]:
    """Check a case's control: an assertion that fails in here makes the case broken, not failed.

    "B cannot be reached" proves something only where the same probe reached what it may reach, and
    "no fault is logged" only where the log reaches back to boot. A probe that fails there is the
    harness's or the lab's trouble. A guest that crashes is judged as everywhere.

    Raises ControlFailedError.
    """
    try:
        yield
    except GuestCrashed:
        raise
    except AssertionError as failure:  # GuestFailure and GuestTimeout are some, too
        sentence = str(getattr(failure, "sentence", failure)).strip() or "it did not hold"
        raise ControlFailedError(
            f"the control failed: {sentence}", evidence=getattr(failure, "evidence", None)
        ) from failure
