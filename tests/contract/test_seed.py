"""What cloud-init itself says of the seed: its own schema, out of the distribution's package."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

from harness.image_store.programs import run_program
from harness.profiles.model import Seed
from harness.provisioning.seed import write_seed
from tests.unit.test_seed import content, read

SCHEMA = "usr/lib/python3/dist-packages/cloudinit/config/schemas/schema-cloud-config-v1.json"


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    tree = tmp_path_factory.mktemp("cloud-init") / "tree"
    run_program(
        [
            *("mmdebstrap", "--variant=extract", "--include=cloud-init"),
            *('--aptopt=Acquire::Check-Valid-Until "false"', "bookworm", str(tree)),
        ]
    )
    found: dict[str, Any] = json.loads((tree / SCHEMA).read_text(encoding="utf-8"))
    return found


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
