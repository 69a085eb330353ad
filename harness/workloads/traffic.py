"""Traffic between two guests: one listens, the other sends, with the prober carried into both."""

from __future__ import annotations

import contextlib
import ipaddress
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from harness.errors import HarnessError
from harness.guests.guest import Guest
from harness.waiting import Deadline, NotYet, wait_until
from harness.workloads.host_listener import HostListener
from harness.workloads.program import Carried, carry

PROBER = "network_prober"

LISTEN_SECONDS = 60
"""Longer than a sender ever takes; the listener ends by itself in an abandoned guest."""

SEND_SECONDS = 30
"""To send to every address of the host (with KVM), all at once: a TCP timeout each."""

GRACE_SECONDS = 1
"""After the last packet (with KVM; scaled under TCG). A bridge delivers in far less."""


class TrafficKind(StrEnum):
    """The kinds of packets that can reach a neighbour."""

    ARP = "arp"
    ICMP = "icmp"
    TCP = "tcp"
    UDP = "udp"
    MULTICAST = "multicast"
    IPV6 = "ipv6"  # UDP to the link-local address


@dataclass(frozen=True)
class Endpoint:
    """A guest on a network, with its addresses."""

    guest: Guest
    prober: Carried
    interface: str
    address: str
    link_local: str

    @classmethod
    def of(cls, guest: Guest) -> Endpoint:
        """Carry the prober in, and read the guest's addresses.

        Raises HarnessError where the guest cannot run the prober: that is not a verdict on it.
        """
        prober = carry(guest, PROBER)
        nics = guest.os.network.nics()
        if not nics:
            raise HarnessError(f"{guest.name} lists no network card")
        nic = nics[0]
        plain = [address.partition("/")[0] for address in nic.addresses]
        v4 = [address for address in plain if "." in address]
        if not v4:
            raise HarnessError(f"{guest.name} has no IPv4 address: {plain}")
        local = link_local(nic.mac)
        if local not in plain:
            # Its own address may derive from a secret (RFC 7217), which copies of a disk share.
            guest.linux.sh('ip -6 address add "$1/64" dev "$2" nodad', local, nic.name)
        return cls(guest, prober, nic.name, v4[0], local)


def link_local(mac: str) -> str:
    """The IPv6 link-local address of a MAC (RFC 4291, appendix A), as `ip` prints it."""
    first, *rest = bytes.fromhex(mac.replace(":", ""))
    identifier = bytes([first ^ 2, *rest[:2], 0xFF, 0xFE, *rest[2:]])
    return str(ipaddress.IPv6Address(b"\xfe\x80" + b"\0" * 6 + identifier))


def can_reach(sender: Endpoint, receiver: Endpoint, kind: TrafficKind) -> bool:
    """Whether a packet of that kind arrives at the other guest."""
    token = secrets.token_hex(8)
    listener = receiver.prober.start("listen", kind, str(LISTEN_SECONDS), receiver.interface, token)
    listener.await_event("ready", seconds=LISTEN_SECONDS, error=NotReceivedError)
    target = receiver.link_local if kind is TrafficKind.IPV6 else receiver.address
    _send(sender, "send", kind, sender.interface, target, token)
    try:
        listener.await_event("received", seconds=GRACE_SECONDS, error=NotReceivedError)
    except NotReceivedError:
        # Only a listener that is alive at its timeout counts: a dead one proves nothing.
        listener.stop()
        ended = listener.await_event(
            *("received", "timeout"), seconds=LISTEN_SECONDS, error=NotReceivedError
        )
        return ended.text("event") == "received"
    return True


def reached_on_host(
    sender: Endpoint, listener: HostListener, protocol: str, addresses: Sequence[str]
) -> set[str]:
    """The host's addresses at which the listener receives from the guest, by tcp or udp."""
    tokens = {address: secrets.token_hex(8) for address in addresses}
    targets = (f"{address}={token}" for address, token in tokens.items())
    _send(sender, "reach", protocol, sender.interface, str(listener.port), *targets)

    def arrived() -> None:
        if missing := set(tokens.values()) - listener.received:
            raise NotYet(f"{len(missing)} of {len(tokens)} missing")

    with contextlib.suppress(NotReceivedError):
        wait_until(
            arrived,
            awaited=f"{sender.guest.name} to reach the host",
            deadline=Deadline(GRACE_SECONDS),
            watches=[sender.guest.crash_watch],
            error=NotReceivedError,
        )
    return {address for address, token in tokens.items() if token in listener.received}


def _send(sender: Endpoint, *arguments: str) -> None:
    sending = sender.prober.start(*arguments)
    sending.await_event("sent", seconds=SEND_SECONDS, error=NotReceivedError)


class NotReceivedError(HarnessError):
    """The prober in a guest did not report the awaited event in time."""
