"""Network cards, routes, name resolution, identity."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Protocol

from harness.errors import ChannelError
from harness.guests.answers import Fields, fields, rows, texts
from harness.guests.linux.shell import LinuxShell
from harness.guests.windows.drivers import linux_name
from harness.guests.windows.powershell import WindowsShell

NOWHERE = "00000000"
"""No address, in /proc/net/route."""


@dataclass(frozen=True)
class GuestNic:
    """A network card as the guest sees it."""

    name: str
    mac: str
    driver: str
    addresses: tuple[str, ...]  # with prefix length, IPv4 and IPv6, link-local included


class Network(Protocol):
    """Network cards, routes, name resolution, identity."""

    def nics(self) -> list[GuestNic]:
        """Every network card that has a device behind it."""

    def default_routes(self) -> list[str]:
        """The gateways of IPv4's default routes."""

    def resolve(self, name: str) -> list[str]:
        """The addresses of a name by the guest's resolver; empty where it returns none."""

    def identity(self) -> dict[str, set[str]]:
        """The values that must differ between guests of one image, by their names."""


class LinuxNetwork(LinuxShell):
    """See Network."""

    def nics(self) -> list[GuestNic]:
        """Every network card that has a device behind it."""
        listed = self.sh(
            'for n in /sys/class/net/*; do [ -e "$n/device" ] || continue;'
            ' echo "$(basename "$n")|$(cat "$n/address")|'
            '$(basename "$(readlink -f "$n/device/driver")")"; done'
        )
        addresses = self._addresses()
        return [
            GuestNic(name, mac, driver, tuple(addresses.get(name, ())))
            for name, mac, driver in rows(listed, 3, "list of network cards")
        ]

    def default_routes(self) -> list[str]:
        """The gateways of IPv4's default routes."""
        table = self.read("/proc/net/route").splitlines()[1:]
        gateways = [_gateway(line) for line in table]
        return [gateway for gateway in gateways if gateway is not None]

    def resolve(self, name: str) -> list[str]:
        """The addresses of a name by the guest's resolver; empty where it returns none."""
        result = self._run(["getent", "ahosts", name])
        return sorted({line.split()[0] for line in result.text.splitlines() if line.strip()})

    def identity(self) -> dict[str, set[str]]:
        """Machine id, SSH host keys and MAC addresses.

        The host name is a label: an image may give the same to all its guests.
        """
        return {
            "machine id": set(self.read("/etc/machine-id").split()),
            "host keys": self.ssh_host_keys(),
            "MAC addresses": {nic.mac for nic in self.nics()},
        }

    def ssh_host_keys(self) -> set[str]:
        """The public keys of the guest's SSH server."""
        listed = self.sh("cat /etc/ssh/ssh_host_*_key.pub 2>/dev/null; :")
        return {" ".join(line.split()[:2]) for line in listed.splitlines() if line.strip()}

    def _addresses(self) -> dict[str, list[str]]:
        """Addresses by card, from `ip -o`, which iproute2 of any age and busybox have."""
        found: dict[str, list[str]] = {}
        for line in self.sh("ip -o address").splitlines():
            columns = line.split()
            if len(columns) < 4 or columns[2] not in ("inet", "inet6"):
                continue  # busybox also lists the links themselves
            found.setdefault(columns[1].partition("@")[0], []).append(_with_prefix(columns[3:]))
        return found


def _with_prefix(columns: list[str]) -> str:
    """An address with its prefix length, which of a peer-to-peer one stands at the peer's."""
    address, _, prefix = columns[0].partition("/")
    if not prefix and columns[1:2] == ["peer"] and len(columns) > 2:
        prefix = columns[2].partition("/")[2]
    try:
        return str(ipaddress.ip_interface(f"{address}/{prefix}" if prefix else address))
    except ValueError as error:
        raise ChannelError(f"the guest lists the address {columns[0][:80]!r}") from error


def _gateway(line: str) -> str | None:
    """The gateway of a default route in /proc/net/route; None for any other route.

    Addresses there are numbers in the order of the processor's bytes, which is little-endian on
    every architecture that profiles name.
    """
    columns = line.split()
    if len(columns) < 8:
        raise ChannelError(f"the guest's /proc/net/route has the line {line[:80]!r}")
    destination, gateway, mask = columns[1], columns[2], columns[7]
    if not destination == mask == NOWHERE or gateway == NOWHERE:
        return None
    try:
        return str(ipaddress.IPv4Address(bytes.fromhex(gateway)[::-1]))
    except ValueError as error:
        raise ChannelError(f"the guest's default route has the gateway {gateway[:20]!r}") from error


class WindowsNetwork(WindowsShell):
    """See Network."""

    def nics(self) -> list[GuestNic]:
        """Every network card that has a device behind it."""
        cards = self.instances(
            *("Win32_NetworkAdapter", "Index", "MACAddress", "NetConnectionID", "ServiceName"),
            where="PhysicalAdapter = TRUE",
        )
        settings = self.instances(
            "Win32_NetworkAdapterConfiguration", "Index", "IPAddress", "IPSubnet"
        )
        addresses = {setting.number("Index"): _addresses(setting) for setting in settings}
        return [
            GuestNic(
                card.text("NetConnectionID"),
                card.text("MACAddress").lower(),
                linux_name(card.text("ServiceName")),
                addresses.get(card.number("Index"), ()),
            )
            for card in cards
        ]

    def default_routes(self) -> list[str]:
        """The gateways of IPv4's default routes."""
        routes = self.instances("Win32_IP4RouteTable", "Destination", "Mask", "NextHop")
        return [
            route.text("NextHop")
            for route in routes
            if route.text("Destination") == route.text("Mask") == "0.0.0.0"
        ]

    def resolve(self, name: str) -> list[str]:
        """The addresses of a name by the guest's resolver; empty where it returns none."""
        return sorted(set(texts(self.ask("resolve", name), "addresses")))

    def identity(self) -> dict[str, set[str]]:
        """The machine's SID and GUID, MAC addresses and computer name."""
        answer = fields(self.ask("identity"), "identity")
        return {
            "SID": set(answer.texts("sid")),
            "machine GUID": set(answer.texts("guid")),
            "MAC addresses": {nic.mac for nic in self.nics()},
            "computer name": set(answer.texts("name")),
        }


def _addresses(setting: Fields) -> tuple[str, ...]:
    addresses, masks = setting.texts("IPAddress"), setting.texts("IPSubnet")
    try:
        pairs = list(zip(addresses, masks, strict=True))
        return tuple(ipaddress.ip_interface(f"{a}/{mask}").with_prefixlen for a, mask in pairs)
    except ValueError as error:
        raise ChannelError(f"the guest's addresses are invalid: {error}") from error
