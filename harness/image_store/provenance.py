"""Provenance of an image: an unsigned in-toto statement with a SLSA provenance predicate.

Sources: https://github.com/in-toto/attestation (Statement v1), https://slsa.dev/provenance/v1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from google.protobuf import json_format
from in_toto_attestation.v1.resource_descriptor import ResourceDescriptor
from in_toto_attestation.v1.statement import Statement
from in_toto_attestation.v1.statement_pb2 import Statement as StatementMessage

import harness
from harness.image_store.builder import IMAGE, Material

FILE = "provenance.json"
PREDICATE = "https://slsa.dev/provenance/v1"
BUILD_TYPE = "https://guestcert.example/image/1"


@dataclass(frozen=True)
class Provenance:
    """An image's provenance."""

    sha256: str
    made: datetime
    parameters: Mapping[str, Any]  # the recipe, or the name of the user's file
    materials: tuple[Material, ...]


def write_provenance(
    folder: Path,
    sha256: str,
    started: datetime,
    parameters: Mapping[str, Any],
    inputs: Mapping[str, str],
    materials: Sequence[Material],
) -> Provenance:
    """Record the build of the image in `folder`, from `started` (UTC) until now."""
    finished = datetime.now(UTC)
    predicate = {
        "buildDefinition": {
            "buildType": BUILD_TYPE,
            "externalParameters": dict(parameters),
            "internalParameters": {
                # A program's version is a line; guestcert's files are recorded by digest.
                name: value
                for name, value in inputs.items()
                if "\n" not in value
            },
            "resolvedDependencies": [_descriptor(material) for material in materials],
        },
        "runDetails": {
            "builder": {"id": f"guestcert {harness.__version__}"},
            "metadata": {"startedOn": _moment(started), "finishedOn": _moment(finished)},
        },
    }
    image = ResourceDescriptor(name=IMAGE, digest={"sha256": sha256})
    statement = Statement([image.pb], PREDICATE, predicate)
    statement.validate()
    (folder / FILE).write_text(json_format.MessageToJson(statement.pb, indent=1), encoding="utf-8")
    return Provenance(sha256, finished, parameters, tuple(materials))


def read_provenance(folder: Path) -> Provenance | None:
    """The provenance of the image in `folder`; None if it is missing or invalid."""
    try:
        message = json_format.Parse((folder / FILE).read_bytes(), StatementMessage())
        Statement.copy_from_pb(message).validate()
        predicate = json_format.MessageToDict(message.predicate)
        definition = predicate["buildDefinition"]
        return Provenance(
            sha256=message.subject[0].digest["sha256"],
            made=datetime.fromisoformat(predicate["runDetails"]["metadata"]["finishedOn"]),
            parameters=definition["externalParameters"],
            materials=tuple(_material(entry) for entry in definition["resolvedDependencies"]),
        )
    except (OSError, ValueError, KeyError, TypeError, json_format.ParseError):
        return None


def _descriptor(material: Material) -> dict[str, Any]:
    descriptor = ResourceDescriptor(
        name=material.name,
        uri=material.address,
        digest={"sha256": material.sha256} if material.sha256 else None,
    )
    descriptor.validate()
    document: dict[str, Any] = json_format.MessageToDict(descriptor.pb)
    return document


def _material(entry: Mapping[str, Any]) -> Material:
    digest = entry.get("digest", {}).get("sha256", "")
    return Material(entry.get("name", ""), digest, entry.get("uri", ""))


def _moment(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")
