"""Probes between two guests: one listens, the other sends, with the prober carried into both."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from harness.errors import HarnessError
from harness.guests.guest import Guest
from harness.waiting import Deadline, NotYet, wait_until

PROBER = Path(__file__).with_name("network_prober.py")
IN_GUEST = "/run/guestcert-prober.py"
LISTEN_SECONDS = 60
"""Longer than a sender ever takes; the listener ends by itself in a guest that was forgotten."""

GRACE_SECONDS = 1
"""After the last packet was sent (with KVM; stretched under TCG). A bridge delivers in far less."""


class Kind(StrEnum):
    """Ways in which a packet can reach a neighbour."""

    ARP = "arp"
    ICMP = "icmp"
    TCP = "tcp"
    UDP = "udp"
    MULTICAST = "multicast"
    IPV6 = "ipv6"  # UDP to the link-local address


@dataclass(frozen=True)
class Station:
    """A guest on a network, with what a sender needs to know of it."""

    guest: Guest
    interface: str
    address: str
    link_local: str

    @classmethod
    def of(cls, guest: Guest) -> Station:
        """Carry the prober in, and read the guest's addresses.

        Raises HarnessError where the guest can not run the prober: that is no verdict on it.
        """
        guest.linux.carry(PROBER, IN_GUEST)
        nics = guest.os.nics()
        if not nics:
            raise HarnessError(f"{guest.name} lists no network card")
        nic = nics[0]
        plain = [address.partition("/")[0] for address in nic.addresses]
        v4 = [address for address in plain if "." in address]
        local = [address for address in plain if address.startswith("fe80:")]
        if not v4 or not local:
            raise HarnessError(f"{guest.name} has no address to be reached at: {plain}")
        return cls(guest, nic.name, v4[0], local[0])


def reaches(sender: Station, receiver: Station, kind: Kind) -> bool:
    """Whether a packet of that kind gets from one guest to the other."""
    word = secrets.token_hex(8)
    said = f"/run/heard-{word}"
    listener = receiver.guest.linux.sh(
        'python3 "$1" listen "$2" "$3" "$4" "$5" > "$6" 2>&1 < /dev/null & echo $!',
        *(IN_GUEST, kind, str(LISTEN_SECONDS), receiver.interface, word, said),
    )
    _await_word(receiver, said, "ready", receiver.guest.budget(LISTEN_SECONDS))
    target = receiver.link_local if kind is Kind.IPV6 else receiver.address
    sent = sender.guest.linux.sh(
        'python3 "$1" send "$2" "$3" "$4" "$5"',
        *(IN_GUEST, kind, sender.interface, target, word),
    )
    if sent.strip() != "sent":
        raise HarnessError(f"the prober in {sender.guest.name} said {sent[-200:]!r}, not `sent`")
    try:
        _await_word(receiver, said, "heard", receiver.guest.budget(GRACE_SECONDS))
    except SilenceError:
        # Only a listener that still listens, and says so, was silent: a dead one proves nothing.
        receiver.guest.linux.sh('kill -TERM "$1"', listener.strip())
        _await_word(receiver, said, "silence", receiver.guest.budget(LISTEN_SECONDS))
        return False
    return True


class SilenceError(HarnessError):
    """The prober in a guest did not say what was awaited."""


def _await_word(station: Station, file: str, word: str, deadline: Deadline) -> None:
    """Wait until the listener has written `word`."""

    def look() -> None:
        lines = station.guest.linux.read(file).split()
        if word not in lines:
            raise NotYet(repr(lines[-5:]))

    wait_until(
        look,
        awaited=f"the prober in {station.guest.name} to say {word}",
        deadline=deadline,
        watches=[station.guest.crash_watch],
        error=SilenceError,
    )
