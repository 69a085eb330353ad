"""The cloud-init seed medium: a guest's name and credentials.

Formats: cloud-init's NoCloud data source (a volume labelled `cidata` with three files), and version
2 of its ConfigDrive (a volume labelled `config-2` with OpenStack's metadata).
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError

from harness.errors import UsageError
from harness.image_store.private import new_private_file
from harness.profiles.model import Profile, Seed
from harness.provisioning.answer_files import AnswerFile, Location
from harness.provisioning.answer_media import write_iso
from harness.provisioning.escaping import AnswerFormat
from harness.provisioning.rendering import overrides_folder, render

TEMPLATE = "cloud-config.j2"


@dataclass(frozen=True)
class SeedContent:
    """The content of a seed medium; `password_hash` is a crypt(3) string.

    `unit_timeout`: systemd's default timeout in seconds for devices and services, from the first
    boot on; None leaves it unchanged.
    """

    profile: Profile
    instance_id: str
    host_name: str
    user: str
    password_hash: str = field(repr=False)
    unit_timeout: int | None = None

    @property
    def opens_agent(self) -> bool:
        """Whether the first boot lifts the policy of the guest's agent."""
        return self.profile.agent.open


LABELS = {Seed.NOCLOUD: "cidata", Seed.CONFIG_DRIVE: "config-2"}


def write_seed(content: SeedContent, file: Path) -> Path:
    """Write the seed medium as an ISO 9660 file that only the owner can read.

    Raises UsageError if the user's template does not render a cloud-config.
    """
    new_private_file(file)
    files = [AnswerFile(Location.CD, name, text.encode()) for name, text in _files(content).items()]
    write_iso(files, file, LABELS[content.profile.seed])
    return file


def _files(content: SeedContent) -> dict[str, str]:
    """The medium's files by path.

    There is no network configuration: cloud-init then configures DHCP on the first NIC, with the
    name and MAC that it detects. A configuration from here would have to guess the name.
    """
    user_data = _user_data(content)
    if content.profile.seed is Seed.CONFIG_DRIVE:
        named = {"uuid": content.instance_id, "hostname": content.host_name}
        return {
            "openstack/latest/meta_data.json": json.dumps(named) + "\n",
            "openstack/latest/user_data": user_data,
        }
    named = {"instance-id": content.instance_id, "local-hostname": content.host_name}
    return {
        "user-data": user_data,
        "meta-data": json.dumps(named) + "\n",
    }


def _user_data(content: SeedContent) -> str:
    text = render(TEMPLATE, AnswerFormat.JSON, content)  # JSON strings are valid YAML
    try:
        document = YAML(typ="safe").load(io.StringIO(text))
    except MarkedYAMLError as error:
        mark = error.problem_mark
        raise _wrong(f"{error.problem} in line {mark.line + 1 if mark else '?'}") from error
    if not text.startswith("#cloud-config\n") or not isinstance(document, dict):
        raise _wrong("it must start with `#cloud-config` and be a mapping")
    return text


def _wrong(problem: str) -> UsageError:
    return UsageError(
        f"the template {TEMPLATE} does not render a cloud-config: {problem}",
        remedy=f"correct it; your templates are in {overrides_folder()}",
    )
