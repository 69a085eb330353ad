"""The context of a run: decided once by the process that starts it, passed to every worker."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from harness.features.tiers import Tier
from harness.hypervisors.definitions import Accelerator, Ownership
from harness.profiles.claims import HypervisorKind


@dataclass(frozen=True)
class RunContext:
    """One run's identity, folders and options. The password is generated for each run."""

    owner: Ownership
    reports: Path  # the run directory
    store: Path  # the image store's root, which also holds the run's workspace
    hypervisor: str | None  # URI; None: the local one
    kind: HypervisorKind
    accelerator: Accelerator
    accelerator_reason: str
    image: Path | None  # the user's image, used instead of the recipe's
    recipe: str | None  # overrides the profile's recipe
    tier: Tier
    password: str = field(repr=False)
    done: tuple[
        str, ...
    ] = ()  # the keys of cases that already have an outcome when a run is resumed

    @property
    def run(self) -> str:
        """The run's id."""
        return self.owner.run

    @property
    def workspace(self) -> Path:
        """The folder of the run's overlays, saved states and seed media."""
        return self.store / "runs" / self.run

    @property
    def live(self) -> Path:
        """The folder of the workers' live states."""
        return live_folder(self.store, self.run)

    @property
    def facts(self) -> Path:
        """The folder of guest facts that the workers agree on: image and profile digests.

        It is part of the run directory, so that a resumed run finds it.
        """
        return self.reports / "facts"

    @property
    def guests(self) -> Path:
        """The folder of the software records that each guest's first boot wrote."""
        return self.reports / "guests"

    def to_json(self) -> str:
        """The context for a worker process of the same run."""
        return json.dumps(asdict(self), default=str)

    @classmethod
    def from_json(cls, text: str) -> RunContext:
        """The context from the text that `to_json` returned."""
        document: dict[str, Any] = json.loads(text)
        owner = document.pop("owner")
        image = document.pop("image")
        return cls(
            owner=Ownership(**owner),
            reports=Path(document.pop("reports")),
            store=Path(document.pop("store")),
            kind=HypervisorKind(document.pop("kind")),
            accelerator=Accelerator(document.pop("accelerator")),
            image=Path(image) if image else None,
            tier=Tier(document.pop("tier")),
            done=tuple(document.pop("done")),
            **document,
        )


def live_folder(store: Path, run: str) -> Path:
    """The folder of the live states of a run's workers."""
    return store / "runs" / run / "live"
