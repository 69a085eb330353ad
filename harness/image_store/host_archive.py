"""The package archive that this host's APT uses."""

from __future__ import annotations

import shutil

from harness.errors import HarnessError
from harness.image_store.programs import run_program

FIELDS = "$(REPO_URI) $(COMPONENT) $(RELEASE)"


def host_archive() -> str:
    """The HTTP address of the archive of this host's packages.

    Raises HarnessError on a host without APT, or if its APT uses no archive over HTTP.
    """
    remedy = "name a mirror in the recipe"
    if shutil.which("apt-get") is None:
        raise HarnessError("this host has no APT whose archive could be used", remedy=remedy)
    output = run_program(["apt-get", "indextargets", "--format", FIELDS, "Created-By: Packages"])
    for line in output.splitlines():
        address, _, rest = line.partition(" ")
        component, _, release = rest.partition(" ")
        main = component == "main" and "-" not in release  # no updates, no security
        if main and address.startswith(("http://", "https://")):
            return address.rstrip("/")
    raise HarnessError("this host's APT uses no archive over HTTP", remedy=remedy)
