"""Each case's planted defect, and its sign in the reason of the case that catches it."""

from __future__ import annotations

from tests.defects import boot, integration, isolation

DEFECTS = {
    f"{file}::{case}": defect
    for suite in (boot, integration, isolation)
    for file, cases in suite.DEFECTS.items()
    for case, defect in cases.items()
}
"""By the case: pytest's node id without its parameters."""
