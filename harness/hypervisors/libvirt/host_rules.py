"""Host rules: the packet filter that limits what guests of a network reach on this host.

libvirt opens DHCP and DNS to its networks and closes nothing: a host with an open firewall would
answer guests on all its ports and addresses. The rules match the network's bridge. `nft` installs
them where it exists, in a separate table that no other program flushes, else `iptables`; libvirt
itself needs one of the two programs.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.errors import HypervisorError
from harness.hypervisors.definitions import NetworkDefinition

PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
SECONDS = 30
DHCP, DNS = 67, 53
LINK_LOCAL = "fe80::/10"

NFT = """\
table inet {table}
delete table inet {table}
table inet {table} {{
    chain input {{
        type filter hook input priority -1; policy accept;
        iifname != "{bridge}" accept
        ip daddr {{ 255.255.255.255, {gateway} }} udp dport {dhcp} accept
        ip daddr {gateway} meta l4proto icmp accept
        ip daddr {gateway} udp dport {{ {ports} }} accept
        ip daddr {gateway} tcp dport {{ {ports} }} accept
        ip6 daddr {{ {gateway_v6}, {link_local}, ff00::/8 }} meta l4proto ipv6-icmp accept
        ip6 daddr {{ {gateway_v6}, {link_local} }} udp dport {dns} accept
        ip6 daddr {{ {gateway_v6}, {link_local} }} tcp dport {dns} accept
        drop
    }}
    chain forward {{
        type filter hook forward priority -1; policy accept;
        iifname "{bridge}" oifname != "{bridge}" drop
        iifname != "{bridge}" oifname "{bridge}" drop
    }}
}}
"""


@dataclass(frozen=True)
class HostRules:
    """See HostPorts. A network's rules, replaced atomically."""

    definition: NetworkDefinition

    def open(self, ports: Sequence[int]) -> None:
        """See HostPorts."""
        if nft := _program("nft"):
            _run([nft, "-f", "-"], _nft_rules(self.definition, ports))
            return
        bridge = self.definition.bridge
        for program, rules in (
            ("iptables", _iptables_v4(self.definition, ports)),
            ("ip6tables", _iptables_v6(self.definition)),
        ):
            hooks = [] if _has_chains(_needed(program), bridge) else _hooks(bridge, "-I")
            _restore(program, [*rules, *hooks])


def remove_rules(bridge: str) -> None:
    """Remove a network's rules, whichever program installed them (idempotent)."""
    if nft := _program("nft"):
        table = _table(bridge)
        # Declared first, so that deleting it succeeds where it does not exist.
        _run([nft, "-f", "-"], f"table inet {table}\ndelete table inet {table}\n")
    for program in ("iptables", "ip6tables"):
        lister = _program(program)
        if lister is not None and _has_chains(lister, bridge):
            chains = [*_chains(bridge, "-F"), *_chains(bridge, "-X")]
            _restore(program, [*_hooks(bridge, "-D"), *chains])


def _nft_rules(definition: NetworkDefinition, ports: Sequence[int]) -> str:
    return NFT.format(
        table=_table(definition.bridge),
        bridge=definition.bridge,
        gateway=definition.gateway,
        gateway_v6=definition.gateway_v6,
        dhcp=DHCP,
        ports=", ".join(str(port) for port in (DNS, *ports)),
        dns=DNS,
        link_local=LINK_LOCAL,
    )


def _iptables_v4(definition: NetworkDefinition, ports: Sequence[int]) -> Iterator[str]:
    to_gateway = f"-A {definition.bridge}-in -d {definition.gateway}"
    yield from _new_chains(definition.bridge)
    yield f"-A {definition.bridge}-in -d 255.255.255.255 -p udp --dport {DHCP} -j ACCEPT"
    yield f"{to_gateway} -p udp --dport {DHCP} -j ACCEPT"
    yield f"{to_gateway} -p icmp -j ACCEPT"
    for port in (DNS, *ports):
        yield f"{to_gateway} -p udp --dport {port} -j ACCEPT"
        yield f"{to_gateway} -p tcp --dport {port} -j ACCEPT"
    yield f"-A {definition.bridge}-in -j DROP"


def _iptables_v6(definition: NetworkDefinition) -> Iterator[str]:
    yield from _new_chains(definition.bridge)
    yield f"-A {definition.bridge}-in -d ff00::/8 -p icmpv6 -j ACCEPT"
    for address in (definition.gateway_v6, LINK_LOCAL):
        to_gateway = f"-A {definition.bridge}-in -d {address}"
        yield f"{to_gateway} -p icmpv6 -j ACCEPT"
        yield f"{to_gateway} -p udp --dport {DNS} -j ACCEPT"
        yield f"{to_gateway} -p tcp --dport {DNS} -j ACCEPT"
    yield f"-A {definition.bridge}-in -j DROP"


def _new_chains(bridge: str) -> Iterator[str]:
    yield f":{bridge}-in - [0:0]"
    yield f":{bridge}-forward - [0:0]"
    yield f"-A {bridge}-forward -j DROP"


def _hooks(bridge: str, verb: str) -> list[str]:
    """Jumps before all other rules, which may accept; returning packets continue with those."""
    return [
        f"{verb} INPUT -i {bridge} -j {bridge}-in",
        f"{verb} FORWARD -i {bridge} ! -o {bridge} -j {bridge}-forward",
        f"{verb} FORWARD ! -i {bridge} -o {bridge} -j {bridge}-forward",
    ]


def _chains(bridge: str, verb: str) -> list[str]:
    return [f"{verb} {bridge}-in", f"{verb} {bridge}-forward"]


def _table(bridge: str) -> str:
    return f"guestcert-{bridge}"


def _program(name: str) -> str | None:
    return shutil.which(name, path=PATH)


def _needed(name: str) -> str:
    if found := _program(name):
        return found
    raise HypervisorError(
        f"neither nft nor {name} is installed: guests could reach every service of this host",
        remedy="install the package nftables",
    )


def _has_chains(lister: str, bridge: str) -> bool:
    return f"-N {bridge}-in\n" in _run([lister, "-w", "-S"])


def _restore(program: str, rules: Sequence[str]) -> None:
    """Apply all rules atomically; a declared chain is flushed first."""
    text = "\n".join(["*filter", *rules, "COMMIT", ""])
    _run([_needed(f"{program}-restore"), "--wait", "--noflush"], text)


def _run(command: Sequence[str], text: str = "") -> str:
    done = subprocess.run(
        command,
        input=text,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        timeout=SECONDS,
    )
    if done.returncode:
        reason = done.stderr.strip().splitlines()[0] if done.stderr.strip() else "no reason"
        raise HypervisorError(
            f"this host's packet filter refuses the rules for a guest network: {reason}",
            remedy=f"give `{command[0]}` what it needs: root, and the kernel's netfilter",
        )
    return done.stdout
