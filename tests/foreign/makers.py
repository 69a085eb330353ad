"""Makers of images, and how theirs differ from a vendor's cloud image.

Each image differs in several ways at once, since each costs a build and a first boot.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Root(StrEnum):
    """What the root file system is, and what it lies on."""

    EXT4 = "ext4"
    XFS = "xfs"
    BTRFS = "btrfs"  # in a subvolume, as Debian's, SUSE's and Fedora's installers make it
    LVM = "lvm"  # ext4 on a logical volume


@dataclass(frozen=True)
class Maker:
    """One image: packages added and removed, files, and shell commands run in it as root.

    `lacks`: features that a guest of this maker cannot have, and whose loss must be found.
    """

    id: str
    packages: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    commands: str = ""
    root: Root = Root.EXT4
    lacks: frozenset[str] = frozenset()


OWN_NETWORK = {"/etc/cloud/cloud.cfg.d/99-network.cfg": "network: {config: disabled}\n"}
"""Cloud-init keeps away from what the image has configured by itself."""

SECOND_PORT = (
    'SUBSYSTEM=="tty", KERNEL=="ttyS1", ATTR{port}!="0x0", TAG+="systemd", '
    'ENV{SYSTEMD_WANTS}+="serial-getty@ttyS1.service"\n'
)
"""A login on a second serial port where there is one: a unit that is enabled without its port keeps
systemd waiting for a minute and a half, longer than a guest may take to be ready."""

RESOLVER = ("libnss-resolve", "systemd-resolved")

MAKERS = (
    Maker(
        "networkd",
        without=("netplan.io",),
        files=OWN_NETWORK
        | {
            # DHCP as systemd-networkd has it: its identifier is derived from the machine id.
            "/etc/systemd/network/50-dhcp.network": "[Match]\nName=en*\n[Network]\nDHCP=yes\n",
            "/etc/hostname": "appliance\n",
            "/etc/cloud/cloud.cfg.d/99-hostname.cfg": "preserve_hostname: true\n",
            "/etc/systemd/journald.conf.d/volatile.conf": "[Journal]\nStorage=volatile\n",
        },
        commands="""
        systemctl enable systemd-networkd
        echo 'tmpfs /tmp tmpfs noexec,nosuid,nodev 0 0' >>/etc/fstab
        """,
    ),
    Maker(
        "ifupdown",
        packages=("ifupdown", "isc-dhcp-client"),
        without=("netplan.io", *RESOLVER),
        files={"/etc/udev/rules.d/90-second-port.rules": SECOND_PORT},
        commands="""
        rm -f /etc/resolv.conf
        useradd --uid 1000 --create-home --shell /bin/bash maker
        """,
    ),
    Maker(
        "network-manager",
        packages=("network-manager",),
        without=("netplan.io", "qemu-guest-agent"),
        lacks=frozenset({"integration.heartbeat", "integration.shutdown"}),
    ),
    Maker(
        "dhcpcd-xfs",
        packages=("dhcpcd", "xfsprogs"),
        without=("netplan.io", *RESOLVER),
        files=OWN_NETWORK,
        commands="rm -f /etc/resolv.conf",  # dhcpcd writes it
        root=Root.XFS,
    ),
    Maker("netplan-lvm", packages=("lvm2",), root=Root.LVM),
    Maker("netplan-btrfs", packages=("btrfs-progs",), root=Root.BTRFS),
)
