"""The cloud-init seed: a medium with a guest's name, network and credentials.

Formats: cloud-init's NoCloud data source (a volume labelled `cidata` with three files), and version
2 of its ConfigDrive (a volume labelled `config-2` with what OpenStack gives its machines).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

from harness.profiles.model import Seed
from harness.provisioning.answer_files import AnswerFile, Place
from harness.provisioning.media import write_iso


@dataclass(frozen=True)
class SeedContent:
    """What a guest is told at its first boot; `password_hash` is a crypt(3) string."""

    instance_id: str
    host_name: str
    user: str
    password_hash: str = field(repr=False)
    kind: Seed = Seed.NOCLOUD


NETWORK = {
    "version": 2,
    # By pattern and not by address: the disk is to serve under many machines.
    "ethernets": {"every": {"match": {"name": "e*"}, "dhcp4": True, "dhcp-identifier": "mac"}},
}

LABELS = {Seed.NOCLOUD: "cidata", Seed.CONFIG_DRIVE: "config-2"}


def write_seed(content: SeedContent, file: Path) -> Path:
    """Write the seed medium as an ISO 9660 file that only the owner can read."""
    file.touch(mode=0o600)
    files = [AnswerFile(Place.CD, name, text.encode()) for name, text in _files(content).items()]
    write_iso(files, file, LABELS[content.kind])
    return file


def _files(content: SeedContent) -> dict[str, str]:
    """The medium's texts by their paths."""
    user_data = "#cloud-config\n" + json.dumps(_user_data(content), indent=1) + "\n"
    if content.kind is Seed.CONFIG_DRIVE:
        # Without a network of its own in it, cloud-init asks by DHCP on the first card.
        named = {"uuid": content.instance_id, "hostname": content.host_name}
        return {
            "openstack/latest/meta_data.json": json.dumps(named) + "\n",
            "openstack/latest/user_data": user_data,
        }
    named = {"instance-id": content.instance_id, "local-hostname": content.host_name}
    return {
        "user-data": user_data,
        "meta-data": json.dumps(named) + "\n",
        "network-config": json.dumps(NETWORK, indent=1) + "\n",
    }


def _user_data(content: SeedContent) -> dict[str, object]:
    # JSON is YAML: cloud-init reads it, and nothing needs quoting by hand.
    return {
        "hostname": content.host_name,
        # In /etc/hosts too: sudo asks for it before any resolver is up.
        "manage_etc_hosts": True,
        "locale": "C.UTF-8",
        "ssh_pwauth": False,
        # An RSA key costs an emulated processor as much as half a boot.
        "ssh_genkeytypes": ["ed25519"],
        "ssh": {"emit_keys_to_console": False},
        "grub_dpkg": {"enabled": False},
        # Provisioning is over with the first boot; what follows is the guest's own start.
        "runcmd": [["touch", "/etc/cloud/cloud-init.disabled"]],
        "users": [
            {
                "name": content.user,
                "gecos": "guestcert",
                "shell": "/bin/bash",
                "sudo": "ALL=(ALL) NOPASSWD:ALL",
                "lock_passwd": False,
                # The one is for a user that an installation has made already; the other for a
                # cloud-init before 0.7.7 (Ubuntu 14.04, Debian 8), which knows no other.
                "hashed_passwd": content.password_hash,
                "passwd": content.password_hash,
            }
        ],
    }
