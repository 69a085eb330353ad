"""What the network gave a Linux guest, and what it is known by."""

from __future__ import annotations

from harness.guests.linux.devices import LinuxDevices


class LinuxNetwork(LinuxDevices):
    """See harness.guests.os.Network."""

    def default_routes(self) -> list[str]:
        """The gateways of IPv4's default routes."""
        routes = self.json("ip -json -4 route show default")
        return [gateway for route in routes if (gateway := route.text("gateway"))]

    def resolve(self, name: str) -> list[str]:
        """The addresses that the guest's resolver gives for a name; none where it gives none."""
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
        """The public keys by which the guest's SSH server is known."""
        listed = self.sh("cat /etc/ssh/ssh_host_*_key.pub 2>/dev/null; :")
        return {" ".join(line.split()[:2]) for line in listed.splitlines() if line.strip()}
