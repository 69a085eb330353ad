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
        routes = self.json("ip -json -4 route show default")
        return [gateway for route in routes if (gateway := route.text("gateway"))]

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
        # iproute2 before 5.0 lists an empty object for what it leaves out.
        return {
            link.text("ifname"): [
                f"{address.text('local')}/{address.number('prefixlen')}"
                for address in link.objects("addr_info")
                if address.text("local")
            ]
            for link in self.json("ip -json address")
            if link.text("ifname")
        }


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
