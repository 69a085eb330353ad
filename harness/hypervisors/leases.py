"""The lease on a machine, network or folder: whose it is and until when, as it is written there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from harness.hypervisors.definitions import Ownership

LEASE_TERM = timedelta(hours=2)
"""How long a lease holds; far longer than its renewal takes, for a host that is slow or asleep."""

UNRENEWABLE_TERM = timedelta(days=7)
"""The term of what cannot be renewed: longer than any run."""

LONGEST = 2000
"""Characters of the longest text that can be a lease; notes may be anybody's."""

Text = Annotated[str, Field(min_length=1, max_length=200)]


@dataclass(frozen=True)
class Lease:
    """Whose something is, and until when (UTC) that holds without another word of the owner's."""

    owner: Ownership
    expires: datetime


class _Written(BaseModel):
    """A lease as it is written."""

    model_config = ConfigDict(extra="forbid", strict=True)

    guestcert_lease: Literal[1] = 1
    run: Text
    host: Text
    pid: Annotated[int, Field(gt=0, lt=2**31)]
    pid_started: Text
    expires: AwareDatetime


def utc_now() -> datetime:
    """The present moment."""
    return datetime.now(UTC)


def lease_for(
    owner: Ownership, *, term: timedelta = LEASE_TERM, now: datetime | None = None
) -> Lease:
    """A lease of that term, from now on."""
    return Lease(owner, (now or utc_now()) + term)


def encode_lease(lease: Lease) -> str:
    """The lease as a line of JSON."""
    owner = lease.owner
    return _Written(
        run=owner.run,
        host=owner.host,
        pid=owner.pid,
        pid_started=owner.pid_started,
        expires=lease.expires,
    ).model_dump_json()


def decode_lease(text: str | None) -> Lease | None:
    """The lease that `encode_lease` wrote; None for every other text, whatever it is."""
    if not text or len(text) > LONGEST:
        return None
    try:
        written = _Written.model_validate_json(text)
        owner = Ownership(written.run, written.host, written.pid, written.pid_started)
        return Lease(owner, written.expires.astimezone(UTC))
    except (ValidationError, OverflowError):
        return None
