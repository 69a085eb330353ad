"""What a run is about: decided once by the process that starts it, handed to every worker."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from harness.hypervisors.definitions import Accelerator, Ownership
from harness.tiers import Tier


@dataclass(frozen=True)
class RunContext:
    """One run's identity, places and choices. The password is made for this run alone."""

    owner: Ownership
    reports: Path  # the run directory
    store: Path  # the image store's root, which also holds the run's workspace
    hypervisor: str | None  # URI; None: the host's own
    accelerator: Accelerator
    accelerator_reason: str
    image: Path | None  # the user's own build, instead of the recipe's
    recipe: str | None  # another recipe than the profile's
    tier: Tier
    password: str = field(repr=False)
    done: tuple[str, ...] = ()  # the identities of what an earlier part of the run has outcomes of

    @property
    def run(self) -> str:
        """The run's id."""
        return self.owner.run

    @property
    def workspace(self) -> Path:
        """The folder of the run's overlays, states and seeds."""
        return self.store / "runs" / self.run

    @property
    def live(self) -> Path:
        """The folder where each worker says what it is doing now."""
        return live_folder(self.store, self.run)

    @property
    def facts(self) -> Path:
        """The folder where workers leave what they learnt of guests: image and profile digests.

        With the reports, where a run that is cut off and gone on with finds it again.
        """
        return self.reports / "facts"

    @property
    def guests(self) -> Path:
        """The folder with what each guest's first boot recorded of its software."""
        return self.reports / "guests"

    def to_json(self) -> str:
        """The context for a worker process of the same run."""
        return json.dumps(asdict(self), default=str)

    @classmethod
    def from_json(cls, text: str) -> RunContext:
        """The context as `to_json` wrote it."""
        document: dict[str, Any] = json.loads(text)
        owner = document.pop("owner")
        image = document.pop("image")
        return cls(
            owner=Ownership(**owner),
            reports=Path(document.pop("reports")),
            store=Path(document.pop("store")),
            accelerator=Accelerator(document.pop("accelerator")),
            image=Path(image) if image else None,
            tier=Tier(document.pop("tier")),
            done=tuple(document.pop("done")),
            **document,
        )


def live_folder(store: Path, run: str) -> Path:
    """Where the workers of a run say what they are doing."""
    return store / "runs" / run / "live"
