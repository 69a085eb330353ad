"""Networks of the host."""

from __future__ import annotations

import ipaddress
import json
import subprocess


def ipv4_subnets() -> list[str]:
    """The IPv4 networks (CIDR) of the host's interfaces."""
    listed = subprocess.run(
        ["ip", "-json", "-4", "address"], capture_output=True, text=True, check=False, timeout=10
    )
    subnets = []
    for link in json.loads(listed.stdout or "[]"):
        for address in link.get("addr_info", []):
            interface = ipaddress.ip_interface(f"{address['local']}/{address['prefixlen']}")
            subnets.append(str(interface.network))
    return subnets
