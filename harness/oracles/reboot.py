"""The proof of a reboot: a new boot id, never the time that passed."""

from __future__ import annotations

from collections.abc import Callable

from harness.errors import ChannelError
from harness.guests.guest import Answer, Guest
from harness.time_accounting import Phase
from harness.waiting import NotYet, wait_until


def expect_reboot(guest: Guest, trigger: Callable[[], None], *, before: str | None = None) -> float:
    """Trigger a reboot and wait until the guest is ready with a new boot id; returns its seconds.

    `before` is the old boot id; pass it where the guest may reboot at any moment.
    Raises GuestTimeout where the boot id stays, GuestCrashed where the guest dies on the way.
    """
    before = before or guest.os.lifecycle.boot_id()
    deadline = guest.budget(guest.profile.budgets.ready_seconds)
    position = guest.console.position
    trigger()
    with guest.ledger.on(Phase.BOOT):
        wait_until(
            lambda: _new_boot_id(guest, before, position),
            awaited=f"{guest.name} to be ready with a new boot id",
            deadline=deadline,
            interval=0.5,
            watches=[guest.crash_watch],
            evidence=guest.console_log,
        )
    return deadline.elapsed


def _new_boot_id(guest: Guest, before: str, position: int) -> None:
    if guest.answers_by is Answer.CONSOLE:
        guest.require_console(since=position)
    elif not guest.serves(timeout=2.0):
        raise NotYet(f"no answer by {guest.answers_by}")
    try:
        boot_id = guest.os.lifecycle.boot_id()
    except ChannelError as error:  # the agent answered and then went down
        raise NotYet(f"an agent that stopped answering: {error.sentence}") from error
    if boot_id == before:
        raise NotYet("still the old boot id")
