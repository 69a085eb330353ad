"""Lease on a machine, network or folder: its owner and its expiry, and the stored form."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from harness.hypervisors.definitions import Ownership

LEASE_TERM = timedelta(hours=2)
"""Term of a lease; far longer than a renewal takes, for a host that is slow or asleep."""

UNRENEWABLE_TERM = timedelta(days=7)
"""Term of a lease that cannot be renewed: longer than any run."""

LONGEST = 2000
"""Maximum length of a lease in characters; notes may come from anybody."""

Text = Annotated[str, Field(min_length=1, max_length=200)]


@dataclass(frozen=True)
class Lease:
    """Owner of a resource, and the time (UTC) when the lease expires unless renewed."""

    owner: Ownership
    expires: datetime


class _Written(BaseModel):
    """Stored form of a lease."""

    model_config = ConfigDict(extra="forbid", strict=True)

    guestcert_lease: Literal[1] = 1
    run: Text
    host: Text
    pid: Annotated[int, Field(gt=0, lt=2**31)]
    pid_started: Text
    expires: AwareDatetime


def utc_now() -> datetime:
    """The current time in UTC."""
    return datetime.now(UTC)


def lease_for(
    owner: Ownership, *, term: timedelta = LEASE_TERM, now: datetime | None = None
) -> Lease:
    """A lease of that term, starting now."""
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
    """The lease that `encode_lease` wrote; None for any other text."""
    if not text or len(text) > LONGEST:
        return None
    try:
        written = _Written.model_validate_json(text)
        owner = Ownership(written.run, written.host, written.pid, written.pid_started)
        return Lease(owner, written.expires.astimezone(UTC))
    except (ValidationError, OverflowError):
        return None
