"""The identity of a release inside the guest, if it differs from the rest of the profile."""

from __future__ import annotations

from pydantic import Field, model_validator

from harness.profiles.documents import Document


class Identity(Document):
    """The expected content of the guest's OS record (os-release and its ancestors).

    By default the distribution is the profile's family, and the release is the profile's.
    `minor_releases`: an `8.10` is an `8`. `rolling`: there is no release number to compare.
    `any_distribution`: the image's owner knows the distribution, so that only the system and the
    architecture are compared.
    """

    distribution: str | None = None  # ID of os-release
    name: str | None = None  # NAME of os-release, where several products share one ID
    release: str | None = None  # VERSION_ID of os-release; `sid` for Debian's unreleased versions
    minor_releases: bool = False
    rolling: bool = False
    any_distribution: bool = False

    @model_validator(mode="after")
    def _states_no_release_twice(self) -> Identity:
        if sum((self.release is not None, self.rolling, self.any_distribution)) > 1:
            raise ValueError("identity names more than one of release, rolling, any_distribution")
        return self


class Builds(Document):
    """The build numbers of a Windows release and its feature updates; no `last`: open-ended."""

    first: int = Field(gt=0)
    last: int | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Builds:
        if self.last is not None and self.last < self.first:
            raise ValueError("the last build must not come before the first")
        return self

    def holds(self, build: int) -> bool:
        """Whether a build number is in the range."""
        return self.first <= build and (self.last is None or build <= self.last)

    def __str__(self) -> str:
        if self.last == self.first:
            return str(self.first)
        return f"{self.first} to {self.last}" if self.last else f"{self.first} or later"
