"""Has cloud-init's own renderers write the network that it configures without a seed's help.

usage: cloud_init_network.py NIC MAC FOLDER
cloud-init's Python packages are in PYTHONPATH. Each renderer writes into a folder of its
name below FOLDER, as on a machine whose one NIC has that name and address.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from unittest import mock

from cloudinit import distros, net  # type: ignore[import-not-found]
from cloudinit.net import network_state, renderers  # type: ignore[import-not-found]

RENDERERS = {
    "netplan": ("debian", "netplan"),
    "eni": ("debian", "eni"),
    "networkd": ("photon", "networkd"),
    "network-manager": ("fedora", "network-manager"),
    "sysconfig-redhat": ("rhel", "sysconfig"),
    "sysconfig-suse": ("opensuse", "sysconfig"),
}
"""By the folder's name: the distribution whose settings the renderer has, and the renderer."""


def main(nic: str, mac: str, folder: Path) -> None:
    with (
        mock.patch.object(net, "find_fallback_nic", return_value=nic),
        mock.patch.object(net, "read_sys_net_safe", return_value=mac),
        mock.patch.object(net, "is_netfail_master", return_value=False),
    ):
        configuration = net.generate_fallback_config()
    for name, (distribution, renderer) in RENDERERS.items():
        target = folder / name
        os.makedirs(target / "etc/netplan", exist_ok=True)
        settings = distros.fetch(distribution).renderer_configs.get(renderer) or {}
        plain = {key: value for key, value in settings.items() if key != "postcmds"}
        if "netplan_path" in plain:  # absolute, it would be this host's own
            plain["netplan_path"] = plain["netplan_path"].lstrip("/")
        made = renderers.NAME_TO_RENDERER[renderer].Renderer(plain)
        state = network_state.parse_net_config_data(configuration)
        made.render_network_state(state, target=str(target))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
