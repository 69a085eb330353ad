"""What the network gave a Windows guest, and what it is known by."""

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
        """The addresses that the guest's resolver gives for a name; none where it gives none."""
        return sorted(set(texts(self.ask("resolve", name), "addresses")))

    def identity(self) -> dict[str, set[str]]:
        """The machine's SID and GUID, MAC addresses and computer name."""
        told = fields(self.ask("identity"), "identity")
        return {
            "SID": set(told.texts("sid")),
            "machine GUID": set(told.texts("guid")),
            "MAC addresses": {nic.mac for nic in self.nics()},
            "computer name": set(told.texts("name")),
        }
