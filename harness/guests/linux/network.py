"""Routes, name resolution and identity of a Linux guest."""

from __future__ import annotations

from harness.guests.linux.devices import LinuxDevices


class LinuxNetwork(LinuxDevices):
    """See harness.guests.os.Network."""

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
