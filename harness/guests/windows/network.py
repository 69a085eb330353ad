"""Routes, name resolution and identity of a Windows guest."""

from __future__ import annotations

from harness.guests.answers import fields, texts
from harness.guests.windows.devices import WindowsDevices


class WindowsNetwork(WindowsDevices):
    """See harness.guests.os.Network."""

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
