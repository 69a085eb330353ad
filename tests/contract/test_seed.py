"""cloud-init's own view of the seed: its schema, and its renderers of a network."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

from harness.image_store.programs import run_program
from harness.lab.identity import Identity, mac_address
from harness.profiles.model import Seed
from harness.provisioning.seed import write_seed
from tests.unit.test_seed import content, read

SCHEMA = "usr/lib/python3/dist-packages/cloudinit/config/schemas/schema-cloud-config-v1.json"


PACKAGES = "usr/lib/python3/dist-packages"
RENDER = Path(__file__).with_name("cloud_init_network.py")
NIC, MAC = "enp1s0", mac_address("run", Identity.GUEST_A)

RENDERED = {
    "netplan": ("etc/netplan/50-cloud-init.yaml", f"macaddress: {MAC}|dhcp4: true"),
    "eni": ("etc/network/interfaces.d/50-cloud-init", f"auto {NIC}|iface {NIC} inet dhcp"),
    "networkd": (
        f"etc/systemd/network/10-cloud-init-{NIC}.network",
        f"MACAddress={MAC}|DHCP=ipv4",
    ),
    "network-manager": (
        f"etc/NetworkManager/system-connections/cloud-init-{NIC}.nmconnection",
        f"mac-address={MAC.upper()}|method=auto",
    ),
    "sysconfig-redhat": (
        f"etc/sysconfig/network-scripts/ifcfg-{NIC}",
        f"DEVICE={NIC}|HWADDR={MAC}|BOOTPROTO=dhcp|ONBOOT=yes",
    ),
    "sysconfig-suse": (
        f"etc/sysconfig/network/ifcfg-{NIC}",
        f"LLADDR={MAC}|BOOTPROTO=dhcp4|STARTMODE=auto",
    ),
}
"""By renderer: the file that configures the NIC of that name, and what must stand there."""


@pytest.fixture(scope="module")
def cloud_init(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of the distribution's package, and of what it needs."""
    tree = tmp_path_factory.mktemp("cloud-init") / "tree"
    run_program(
        [
            *("mmdebstrap", "--variant=extract", "--include=cloud-init"),
            *('--aptopt=Acquire::Check-Valid-Until "false"', "bookworm", str(tree)),
        ]
    )
    return tree


@pytest.fixture(scope="module")
def schema(cloud_init: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((cloud_init / SCHEMA).read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def rendered(cloud_init: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rendered")
    subprocess.run(
        [sys.executable, str(RENDER), NIC, MAC, str(folder)],
        env=os.environ | {"PYTHONPATH": str(cloud_init / PACKAGES)},
        check=True,
    )
    return folder


@pytest.mark.parametrize(
    ("kind", "name"),
    [(Seed.NOCLOUD, "user-data"), (Seed.CONFIG_DRIVE, "openstack/latest/user_data")],
)
def test_user_data_is_valid(schema: dict[str, Any], tmp_path: Path, kind: Seed, name: str) -> None:
    document = YAML(typ="safe").load(read(write_seed(content(kind), tmp_path / "seed.iso"), name))
    jsonschema.validate(document, schema)
    document["users"][0]["sudo"] = 7
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, schema)


@pytest.mark.parametrize("renderer", list(RENDERED))
def test_every_renderer_configures_the_nic_that_it_sees(rendered: Path, renderer: str) -> None:
    """By its name and MAC, which a run's later machines over that disk have too."""
    file, expected = RENDERED[renderer]
    text = (rendered / renderer / file).read_text(encoding="utf-8").lower()
    missing = [part for part in expected.lower().split("|") if part not in text]
    assert not missing, text
    written = [path for path in (rendered / renderer).rglob("*") if path.is_file()]
    others = [path.name for path in written if "ifcfg-" in path.name or "10-cloud" in path.name]
    assert others in ([], [Path(file).name]), "a NIC that is not there would fail to come up"
