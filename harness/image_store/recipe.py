"""Recipes of base images, one YAML file each under images/."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import Field, model_validator

from harness.errors import BadFileError, UsageError
from harness.profiles.documents import Document, nearest, nearest_few, validated
from harness.profiles.inheritance import Families
from harness.profiles.model import Identifier, Method
from harness.profiles.places import recipes_folder
from harness.profiles.source_map import Located, read_located

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
Address = Annotated[str, Field(pattern=r"^https?://\S+$")]
SecureAddress = Annotated[str, Field(pattern=r"^https://\S+$")]
Fingerprint = Annotated[str, Field(pattern=r"^([0-9A-F]{40}|[0-9A-F]{64})$")]
FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][\w.+~-]*$")]
PathInside = Annotated[str, Field(pattern=r"^/?([A-Za-z0-9_][\w.+~-]*/)*[A-Za-z0-9_][\w.+~-]*$")]
"""A relative path: no part starts with a dot, so that none leads out of the folder."""

Gibibytes = Annotated[int, Field(ge=2, le=512)]


class Distribution(StrEnum):
    """Distributions whose archives mmdebstrap can build from."""

    DEBIAN = "debian"
    UBUNTU = "ubuntu"


class BootstrapArchitecture(StrEnum):
    """Debian's names of the supported architectures."""

    AMD64 = "amd64"
    I386 = "i386"
    ARM64 = "arm64"


class Digest(StrEnum):
    """Digest algorithms that vendors use."""

    SHA256 = "sha256"
    SHA512 = "sha512"


class BootstrapRecipe(Document):
    """A bootstrap of a bootable disk from a distribution's packages."""

    id: Identifier
    kind: Literal["bootstrap"]
    distribution: Distribution
    suite: Name
    architecture: BootstrapArchitecture
    disk_gib: Gibibytes
    packages: tuple[str, ...] = Field(min_length=1)


class Checksums(Document):
    """The vendor's checksum list, in the image's folder, optionally signed.

    `keyring`: a file of public keys on this host, from the package `keyring_package`. Without such
    a package, `signer` is the fingerprint of the vendor's key, which the user supplies.
    """

    file: FileName
    algorithm: Digest
    signature: FileName | None = None  # a detached signature; without one the list has it inline
    signer: Fingerprint | None = None
    keyring: Path | None = None
    keyring_package: str | None = None

    @model_validator(mode="after")
    def _keys_for_signatures(self) -> Checksums:
        if self.signature is not None and self.keyring is None and self.signer is None:
            raise ValueError("signature needs a keyring or a signer to verify it with")
        return self


class CloudImageRecipe(Document):
    """A vendor's cloud image, downloaded by guestcert or by the user.

    `image` is the file's name, or a pattern; its last match in the vendor's list is used.
    """

    id: Identifier
    kind: Literal["cloud-image"]
    folder: SecureAddress | None = (
        None  # the address of image and checksums; None: needs a vendor login
    )
    page: Address | None = None  # the vendor's page for the download
    image: str
    checksums: Checksums | None = None

    @model_validator(mode="after")
    def _has_a_source(self) -> CloudImageRecipe:
        if (self.folder is None) is (self.page is None):
            raise ValueError("set either folder, for a download, or page, for the user")
        if self.folder is not None and self.checksums is None:
            raise ValueError("folder needs checksums to verify the download")
        return self


class NetworkBoot(Document):
    """An installer in a distribution's package: its kernel and initrd."""

    suite: Name
    package: Name
    kernel: PathInside
    initrd: PathInside


class InstallRecipe(Document):
    """An unattended installation of a guest, from its medium or from a packaged installer."""

    id: Identifier
    kind: Literal["install"]
    guest: Identifier
    method: Method
    network_boot: NetworkBoot | None = None
    mirror: Address | Literal["host"] | None = (
        None  # of packages; `host`: the mirror of the host's APT
    )


class ImportRecipe(Document):
    """The user's disk image: qcow2, raw, vhd, vhdx or vmdk."""

    id: Identifier
    kind: Literal["import"]
    file: Path


Recipe = BootstrapRecipe | CloudImageRecipe | InstallRecipe | ImportRecipe

R = TypeVar("R", BootstrapRecipe, CloudImageRecipe, InstallRecipe, ImportRecipe)

KINDS: dict[str, type[Recipe]] = {
    "bootstrap": BootstrapRecipe,
    "cloud-image": CloudImageRecipe,
    "install": InstallRecipe,
    "import": ImportRecipe,
}


def load_recipe(identifier: str, folder: Path | None = None) -> Recipe:
    """The recipe of that id. Raises UsageError if there is none, BadFileError if it is invalid."""
    folder = folder or recipes_folder()
    known = recipe_ids(folder)
    if identifier not in known:
        raise UsageError(
            f"there is no recipe {identifier!r}",
            remedy=f"{', '.join(nearest_few(identifier, known))}; list all: guestcert images list",
        )
    file = folder / f"{identifier}.yaml"
    located = Families(folder / "families").inherited(read_located(file))
    problems: list[BadFileError] = []
    recipe = validated(located, _kind(located), problems)
    if recipe is None:
        raise problems[0]
    if recipe.id != identifier:
        raise located.at(["id"]).problem("id", f"{recipe.id!r} is not the file's name", remedy="")
    return recipe


def _kind(located: Located) -> type[Recipe]:
    kind = located.fields().get("kind")
    if kind is None:
        raise located.problem("kind", "is missing", remedy=f"one of {', '.join(KINDS)}")
    word = str(kind.value)
    if word not in KINDS:
        remedy = nearest(word, list(KINDS)) or f"one of {', '.join(KINDS)}"
        raise kind.problem("kind", f"{word!r} is not a kind of recipe", remedy=remedy)
    return KINDS[word]


def recipe_ids(folder: Path | None = None) -> list[str]:
    """The ids of all recipes."""
    return sorted(file.stem for file in (folder or recipes_folder()).glob("*.yaml"))
