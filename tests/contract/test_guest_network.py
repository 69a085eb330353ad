"""A network of libvirt's as its guests see it, from a network namespace on its bridge."""

from __future__ import annotations

import contextlib
import dataclasses
import secrets
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import libvirt
import pytest
from defusedxml.ElementTree import fromstring

from harness.hypervisors.base import Hypervisor, Machine, Network
from harness.hypervisors.connection import open_hypervisor
from harness.hypervisors.definitions import NetworkDefinition, NicDefinition
from harness.hypervisors.facets.nics import NIC_MOVE
from harness.hypervisors.libvirt import host_rules
from harness.hypervisors.libvirt.host_rules import HostRules
from harness.hypervisors.libvirt.network_filter import filter_name
from harness.hypervisors.nic_policy import Guards, NicPolicy
from harness.lab.ownership import own
from harness.waiting import Deadline, NotYet, wait_until
from tests.contract import frames
from tests.machines import a_machine, a_network

CLIENT = Path(__file__).with_name("dhcp_client.py")
ONE_CLIENT_ID = "ff" + "00" * 3 + "07" + "00020000ab11" + "42" * 8
"""As systemd-networkd makes it out of a machine id (RFC 4361)."""

MACS = ("52:54:00:00:63:01", "52:54:00:00:63:02")
ALLOWED_PORT, CLOSED_PORT = 23143, 23144
SECONDS = 60
PATIENCE, BRIEFLY = 20.0, 1.0
"""Seconds for an expected answer, and for one that must not arrive."""

DEFINITION = a_network(
    name="guestcert-onbridge-guests",
    bridge="gcbguests",
    gateway="10.216.251.1",
    dhcp_start="10.216.251.16",
    dhcp_end="10.216.251.240",
    gateway_v6="fd16:251::1",
    owner=own("onbridge"),
    reservations={MACS[0]: "10.216.251.16", MACS[1]: "10.216.251.17"},
)

CONNECT = """
import socket, sys
family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
with socket.socket(family, socket.SOCK_STREAM) as client:
    client.settimeout(float(sys.argv[3]))
    print(client.connect_ex((sys.argv[1], int(sys.argv[2]))))
"""

PING = """
import socket, sys
six = ":" in sys.argv[1]
family, protocol = (socket.AF_INET6, 58) if six else (socket.AF_INET, 1)
echo = bytes.fromhex("800000000001000167756573" if six else "08002b150001000167756573")
with socket.socket(family, socket.SOCK_RAW, protocol) as pinger:
    pinger.settimeout(float(sys.argv[2]))
    pinger.connect((sys.argv[1], 0))
    pinger.send(echo)
    answer = pinger.recv(2048)
    print("answered" if answer.endswith(b"gues") and answer != echo else "something else")
"""


def run(*command: str, check: bool = True) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)
    if check and done.returncode:
        raise AssertionError(f"{command}: {done.stderr}")
    return done.stdout


@dataclass(frozen=True)
class Station:
    """A namespace that has a NIC on the bridge of a network."""

    namespace: str
    interface: str

    def run(self, *command: str, check: bool = True) -> str:
        return run("ip", "netns", "exec", self.namespace, *command, check=check)

    def start(self, *command: str) -> subprocess.Popen[str]:
        inside = ["ip", "netns", "exec", self.namespace, *command]
        return subprocess.Popen(inside, stdout=subprocess.PIPE, text=True)

    def lease(self, mac: str) -> str:
        return self.run(sys.executable, str(CLIENT), self.interface, mac, ONE_CLIENT_ID).strip()

    def connects(self, address: str, port: int, seconds: float = PATIENCE) -> bool:
        command = (sys.executable, "-c", CONNECT, address, str(port), str(seconds))
        return self.run(*command).strip() == "0"

    def pings(self, address: str, seconds: float = PATIENCE) -> bool:
        command = (sys.executable, "-c", PING, address, str(seconds))
        return self.run(*command, check=False).strip() == "answered"


@pytest.fixture
def network(request: pytest.FixtureRequest) -> Iterator[tuple[Hypervisor, Network]]:
    """The network, with its rules written by either program."""
    hypervisor = open_hypervisor("qemu:///system")
    made = hypervisor.create_network(DEFINITION)
    try:
        yield hypervisor, made
    finally:
        made.remove()
        hypervisor.close()


@pytest.fixture
def station(network: tuple[Hypervisor, Network]) -> Iterator[Station]:
    name = f"gc{secrets.token_hex(3)}"
    outside, inside = f"{name}o", f"{name}i"
    run("ip", "netns", "add", name)
    try:
        run("ip", "link", "add", outside, "type", "veth", "peer", "name", inside)
        run("ip", "link", "set", inside, "netns", name)
        run("ip", "link", "set", outside, "master", DEFINITION.bridge, "up")
        made = Station(name, inside)
        made.run("ip", "link", "set", "lo", "up")
        made.run("ip", "link", "set", inside, "up")
        yield made
    finally:
        run("ip", "netns", "del", name)
        run("ip", "link", "del", outside, check=False)


@pytest.fixture
def addressed(station: Station) -> Station:
    """The station with an address and a default route, as a guest has them."""
    station.run("ip", "address", "add", "10.216.251.99/24", "dev", station.interface)
    station.run("ip", "address", "add", "fd16:251::99/64", "dev", station.interface, "nodad")
    station.run("ip", "route", "add", "default", "via", DEFINITION.gateway)
    station.run("ip", "-6", "route", "add", "default", "via", DEFINITION.gateway_v6)

    def detected() -> None:
        tentative = run("ip", "-6", "address", "show", "dev", DEFINITION.bridge, "tentative")
        if tentative.strip():
            raise NotYet(tentative)

    # The host's own addresses answer once no duplicate was detected.
    wait_until(detected, awaited="the bridge's addresses", deadline=Deadline(20))
    return station


def host_addresses() -> list[str]:
    """Every address of this host that a guest can name: the bridge's and those of other links."""
    listed = run("ip", "-o", "address", "show", "scope", "global").split("\n")
    return [line.split()[3].partition("/")[0] for line in listed if line]


@contextlib.contextmanager
def listening(port: int) -> Iterator[None]:
    with socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True):
        yield


def test_an_address_is_its_macs_whatever_the_client_calls_itself(
    station: Station, network: tuple[Hypervisor, Network]
) -> None:
    leased = [station.lease(mac) for mac in MACS]
    assert leased == list(DEFINITION.reservations.values())
    assert [station.lease(mac) for mac in MACS] == leased
    assert network[1].leases() == DEFINITION.reservations


def test_a_mac_without_a_reservation_gets_an_address_of_its_own(station: Station) -> None:
    leased = {station.lease(mac) for mac in ("52:54:00:00:64:01", "52:54:00:00:64:02")}
    assert len(leased) == 2
    assert not leased & set(DEFINITION.reservations.values())


@pytest.fixture(params=["nft", "iptables"])
def rules(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    network: tuple[Hypervisor, Network],
) -> Iterator[NetworkDefinition]:
    """The network's rules, written by either program."""
    if host_rules._program(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    with monkeypatch.context() as patched:
        if request.param == "iptables":
            host_rules.remove_rules(DEFINITION.bridge)  # those that nft made
            real = host_rules._program
            patched.setattr(host_rules, "_program", lambda n: None if n == "nft" else real(n))
        written = HostRules(DEFINITION)
        written.open([])
        written.open([ALLOWED_PORT])
        yield DEFINITION
        host_rules.remove_rules(DEFINITION.bridge)
        host_rules.remove_rules(DEFINITION.bridge)
    assert DEFINITION.bridge not in rules_of_this_host()


def rules_of_this_host() -> str:
    """Less those that libvirt made."""
    lines = [run("iptables", "-S"), run("ip6tables", "-S")]
    if host_rules._program("nft"):
        lines.append(run("nft", "list", "tables"))
    return "\n".join(line for text in lines for line in text.splitlines() if "LIBVIRT" not in line)


def test_the_hosts_other_ports_are_closed_on_all_its_addresses(
    rules: NetworkDefinition, addressed: Station
) -> None:
    addresses = host_addresses()
    assert {rules.gateway, rules.gateway_v6} < set(addresses)
    with listening(CLOSED_PORT), listening(ALLOWED_PORT):
        assert addressed.connects(rules.gateway, ALLOWED_PORT), "the control"
        for address in addresses:
            assert not addressed.connects(address, CLOSED_PORT, BRIEFLY), address
            if address not in (rules.gateway, rules.gateway_v6):
                assert not addressed.connects(address, ALLOWED_PORT, BRIEFLY), address
        host_rules.remove_rules(rules.bridge)
        assert addressed.connects(rules.gateway, CLOSED_PORT), "it was the rules that closed it"


def test_what_is_meant_answers(rules: NetworkDefinition, addressed: Station) -> None:
    assert addressed.lease(MACS[0]) == rules.reservations[MACS[0]]
    for address in (rules.gateway, rules.gateway_v6):
        assert addressed.connects(address, 53)
        assert addressed.pings(address)
    others = [a for a in host_addresses() if a not in (rules.gateway, rules.gateway_v6)]
    assert not any(addressed.pings(address, BRIEFLY) for address in others)


def test_a_removed_network_leaves_no_filter_and_no_rules(
    network: tuple[Hypervisor, Network],
) -> None:
    hypervisor, made = network
    assert DEFINITION.bridge in rules_of_this_host()
    made.remove()
    assert DEFINITION.bridge not in rules_of_this_host()
    assert DEFINITION.name not in [owned.name for owned in hypervisor.owned()]


def test_filters_that_survived_a_host_crash_are_one_network_to_remove(
    network: tuple[Hypervisor, Network],
) -> None:
    hypervisor, made = network
    with contextlib.closing(libvirt.open(hypervisor.uri)) as connection:
        connection.networkLookupByName(made.name).destroy()
        host_rules.remove_rules(DEFINITION.bridge)
        (left,) = [owned for owned in hypervisor.owned() if owned.name.startswith(made.name)]
        assert (left.kind, left.name, left.owner) == ("network", made.name, None)
        hypervisor.remove(left)
        filters = [each.name() for each in connection.listAllNWFilters()]
    assert not [name for name in filters if name.startswith(made.name)]


@contextlib.contextmanager
def paused_machine(network: tuple[Hypervisor, Network], policy: NicPolicy) -> Iterator[Machine]:
    """One with a NIC of this policy on the network, which never executes an instruction."""
    hypervisor, made = network
    address = DEFINITION.reservations[MACS[0]]
    nic = NicDefinition(MACS[0], made.name, address=address, policy=policy)
    name = "guestcert-onbridge-machine"
    identifier = "11111111-2222-4333-8444-5555555555ca"
    machine = hypervisor.define(
        a_machine(name=name, uuid=identifier, owner=DEFINITION.owner, nics=(nic,))
    )
    try:
        machine.start(paused=True)
        yield machine
    finally:
        machine.remove()


OWN, FORGED = MACS[0], "52:54:00:aa:bb:cc"
ADDRESS, OTHERS = DEFINITION.reservations[MACS[0]], DEFINITION.reservations[MACS[1]]
NOTHING = "0.0.0.0"

PASSES = {
    "arp": frames.arp(OWN, OWN, ADDRESS),
    "arp probe": frames.arp(OWN, OWN, NOTHING),
    "ipv4": frames.udp(OWN, ADDRESS, (5000, 5001)),
    "dhcp request": frames.udp(OWN, NOTHING, (68, 67)),
    "ipv6": frames.udp_v6(OWN, (5000, 5001)),
    "neighbour solicitation": frames.icmp_v6(OWN, 135),
    "router solicitation": frames.icmp_v6(OWN, 133),
    "ethertype of its own": frames.plain(OWN),
}
DROPPED_BY = {
    "mac_spoofing": {
        "arp of another mac": frames.arp(FORGED, FORGED, ADDRESS),
        "arp that names another mac": frames.arp(OWN, FORGED, ADDRESS),
        "arp of another address": frames.arp(OWN, OWN, OTHERS),
        "arp of the gateway": frames.arp(OWN, OWN, DEFINITION.gateway),
        "ipv4 of another mac": frames.udp(FORGED, ADDRESS, (5000, 5001)),
        "ipv4 of another address": frames.udp(OWN, OTHERS, (5000, 5001)),
        "ipv4 of nobody": frames.udp(OWN, NOTHING, (5000, 5001)),
        "ipv6 of another mac": frames.udp_v6(FORGED, (5000, 5001)),
    },
    "dhcp": {
        "dhcp answer": frames.udp(OWN, ADDRESS, (67, 68)),
        "dhcpv6 answer": frames.udp_v6(OWN, (547, 546)),
    },
    "router": {
        "router advertisement": frames.icmp_v6(OWN, 134),
        "redirect": frames.icmp_v6(OWN, 137),
    },
}
"""By the guard that drops them."""

GUARDS = [
    Guards(),
    Guards(mac_spoofing=False),
    Guards(dhcp=False),
    Guards(router=False),
    Guards(mac_spoofing=False, dhcp=False, router=False),
]


def names_of(guards: Guards) -> str:
    return "+".join(name for name, on in dataclasses.asdict(guards).items() if on) or "none"


def captured_from(machine: Machine, station: Station, sent: Mapping[str, frames.Frame]) -> set[str]:
    """The tokens of the frames that arrive at a station when the machine's card sends them."""
    tap = frames.Tap(machine.name)
    listener = station.start(sys.executable, frames.__file__, station.interface)
    assert listener.stdout is not None
    assert listener.stdout.readline() == "ready\n"
    for token, frame in sent.items():
        tap.send(frame, token)
    tap.send(PASSES["arp"], "end")
    tap.close()
    captured, _ = listener.communicate(timeout=SECONDS)
    return set(captured.splitlines()) - {"end"}


@pytest.mark.parametrize("guards", GUARDS, ids=names_of)
def test_a_card_sends_under_its_own_addresses_alone(
    network: tuple[Hypervisor, Network], station: Station, guards: Guards
) -> None:
    """Each guard drops its own frames, whichever others are on."""
    sent, expected = dict(PASSES), set(PASSES)
    for guard, on in dataclasses.asdict(guards).items():
        sent |= DROPPED_BY[guard]
        expected |= set() if on else set(DROPPED_BY[guard])
    with paused_machine(network, NicPolicy(guards=guards)) as machine:
        assert captured_from(machine, station, sent) == expected


def isolate(station: Station, on: bool) -> None:
    """Isolate the station's port of the bridge, as another isolated card's would be."""
    port = Path("/sys/class/net", f"{station.namespace}o", "brport/isolated")
    port.write_text(f"{on:d}", encoding="ascii")


@pytest.mark.parametrize("isolated", [True, False])
def test_an_isolated_card_reaches_no_other_isolated_card(
    network: tuple[Hypervisor, Network], station: Station, isolated: bool
) -> None:
    with paused_machine(network, NicPolicy(isolated=isolated)) as machine:
        tap = frames.Tap(machine.name)
        listener = station.start(sys.executable, frames.__file__, station.interface)
        assert listener.stdout is not None
        assert listener.stdout.readline() == "ready\n"
        isolate(station, True)
        tap.send(PASSES["arp"], "between isolated")
        isolate(station, False)
        tap.send(PASSES["arp"], "end")
        tap.close()
        captured, _ = listener.communicate(timeout=SECONDS)
    assert captured.splitlines() == ([] if isolated else ["between isolated"]) + ["end"]


def test_a_card_takes_on_the_filter_of_the_network_that_it_is_moved_to(
    network: tuple[Hypervisor, Network],
) -> None:
    hypervisor, made = network
    policy = NicPolicy(guards=Guards(dhcp=False), isolated=True)
    elsewhere = dataclasses.replace(
        DEFINITION,
        name="guestcert-onbridge-others",
        bridge="gcbothers",
        gateway="10.216.252.1",
        dhcp_start="10.216.252.16",
        dhcp_end="10.216.252.240",
        gateway_v6="fd16:252::1",
        reservations={},
    )
    other = hypervisor.create_network(elsewhere)
    try:
        with paused_machine(network, policy) as machine:
            machine.facet(NIC_MOVE).move(MACS[0], other.name)
            assert f"filter='{filter_name(other.name, policy.guards)}'" in machine.description()
            (target,) = fromstring(machine.description()).findall("devices/interface/target")
            port = Path("/sys/class/net", target.attrib["dev"], "brport")
            assert (port / "bridge").resolve().name == elsewhere.bridge
            assert (port / "isolated").read_text(encoding="ascii").strip() == "1"
            made.remove()  # nothing uses its filters any more
            assert made.name not in [owned.name for owned in hypervisor.owned()]
    finally:
        other.remove()
