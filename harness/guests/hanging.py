"""Makes a Linux guest hang while its kernel lives."""

from __future__ import annotations

from harness.errors import ChannelError
from harness.guests.guest import Guest


def hang(guest: Guest) -> None:
    """Give every processor to a real-time loop some seconds from now: nothing else gets a turn."""
    script = (
        # Since 6.12 the kernel keeps a part of each second for others, unless told not to.
        "for file in /sys/kernel/debug/sched/fair_server/cpu*/runtime; do"
        ' [ ! -e "$file" ] || echo 0 >"$file"; done;'
        " echo -1 >/proc/sys/kernel/sched_rt_runtime_us;"
        " for n in $(seq 0 $(($(nproc) - 1))); do"
        " (sleep 2; exec taskset -c $n chrt -f 99 sh -c 'while :; do :; done') >&- 2>&- & done"
    )
    try:
        guest.os.sh(script)
    except ChannelError:
        # The answer itself may be lost in the hang that was asked for.
        guest.crash_watch()
