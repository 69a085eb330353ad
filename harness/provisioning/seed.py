"""The cloud-init seed: a NoCloud medium with a guest's name, network and credentials.

Format: cloud-init's NoCloud data source (a volume labelled `cidata` with three files).
"""

from __future__ import annotations

import io
import json
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from pycdlib.pycdlib import PyCdlib

from harness.errors import HarnessError


@dataclass(frozen=True)
class SeedContent:
    """What a guest is told at its first boot; `password_hash` is a crypt(3) string."""

    instance_id: str
    host_name: str
    user: str
    password_hash: str = field(repr=False)


def hash_password(password: str, scheme: str = "6") -> str:
    """The crypt(3) hash of a password, by the openssl program; `scheme`: 6 (SHA-512), 1 (MD5).

    Raises HarnessError where openssl is missing, or where a line can not hold the password.
    """
    if "\n" in password:
        raise HarnessError("a password with a line break can not be given to a guest")
    try:
        done = subprocess.run(
            ["openssl", "passwd", f"-{scheme}", "-stdin"],
            input=password,
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise HarnessError(
            f"openssl could not hash a password: {error}", remedy="install the package openssl"
        ) from error
    return done.stdout.strip()


def write_seed(content: SeedContent, file: Path) -> Path:
    """Write the seed medium as an ISO 9660 file that only the owner can read."""
    iso = PyCdlib()
    iso.new(interchange_level=3, joliet=3, rock_ridge="1.09", vol_ident="cidata")
    for name, text in _files(content).items():
        data = text.encode()
        short = name.upper().replace("-", "_")
        iso.add_fp(
            io.BytesIO(data), len(data), f"/{short}.;1", rr_name=name, joliet_path=f"/{name}"
        )
    file.touch(mode=0o600)
    iso.write(str(file))
    iso.close()
    return file


def _files(content: SeedContent) -> dict[str, str]:
    # JSON is YAML: cloud-init reads it, and nothing needs quoting by hand.
    user_data = {
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
                "hashed_passwd": content.password_hash,
            }
        ],
    }
    # By pattern and not by address: the disk is to serve under many machines.
    network = {
        "version": 2,
        "ethernets": {"every": {"match": {"name": "e*"}, "dhcp4": True, "dhcp-identifier": "mac"}},
    }
    meta_data = {"instance-id": content.instance_id, "local-hostname": content.host_name}
    return {
        "user-data": "#cloud-config\n" + json.dumps(user_data, indent=1) + "\n",
        "meta-data": json.dumps(meta_data) + "\n",
        "network-config": json.dumps(network, indent=1) + "\n",
    }
