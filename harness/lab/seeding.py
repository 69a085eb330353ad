"""Gives a place the medium from which a base image's first boot takes its name and its user."""

from __future__ import annotations

import hashlib

from harness.lab.place import Place
from harness.provisioning.passwords import hash_password
from harness.provisioning.seed import SeedContent, write_seed


def seed(place: Place) -> None:
    """Write the medium; every place's is another, by its name."""
    credentials = place.blueprint.credentials
    digest = hashlib.sha256(place.name.encode()).hexdigest()
    content = SeedContent(
        profile=place.blueprint.profile,
        instance_id=digest[:16],
        host_name=f"guest-{digest[:8]}",
        user=credentials.user,
        password_hash=hash_password(credentials.password),
    )
    place.folder.mkdir(parents=True, exist_ok=True)
    write_seed(content, place.seed)
