"""Tests that start whole pytest runs; each takes seconds to minutes."""

from __future__ import annotations

import signal

# A background job starts with Ctrl-C ignored, which the processes of these tests would inherit:
# then none of them could be interrupted.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
