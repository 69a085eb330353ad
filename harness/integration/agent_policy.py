"""Policy of a guest agent: the commands that its own list records as blocked."""

from __future__ import annotations

from harness.errors import ChannelError, GuestFailure, NotApplicable
from harness.guests.guest import Guest


def require_allowed(guest: Guest, *commands: str) -> None:
    """Raise where the agent's own list records that its policy blocks one of these commands.

    NotApplicable where the profile names that policy as the vendor's, GuestFailure elsewhere.
    """
    try:
        listed = guest.agent.commands(timeout=guest.budget(5).seconds)
    except ChannelError:
        return
    blocked = sorted(listed.blocked.intersection(commands))
    if not blocked:
        return
    sentence = f"the guest agent answers, and its policy blocks {', '.join(blocked)}"
    if guest.profile.agent.blocks:
        raise NotApplicable(f"{sentence}, as the profile {guest.profile.id} records")
    raise GuestFailure(
        f"{sentence} (try: allow them in /etc/sysconfig/qemu-ga or qemu-ga.conf of the image, or"
        " record `agent: {policy: restricted}` in a profile of its own)"
    )
