"""Makes profiles, features, outcomes and runs that a test adjusts in a few fields."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from harness.features.catalogue import Feature, Severity
from harness.features.tiers import Tier
from harness.hypervisors.definitions import Accelerator
from harness.lab.context import RunContext
from harness.lab.ownership import own
from harness.profiles.claims import HypervisorKind
from harness.profiles.hardware import Firmware
from harness.profiles.model import KnownIssue, Profile
from harness.results.model import (
    CertificateRecord,
    Claim,
    Completion,
    Environment,
    GuestBuild,
    HostFacts,
    Metric,
    OutcomeRecord,
    RunRecord,
    Scope,
    Status,
    Verdict,
    VerdictRecord,
    case_id,
)
from harness.results.outcomes import Outcome

GUEST = "debian-12"
URI = "qemu:///system"
SOURCE = "https://example.org/release-notes"
STARTED = datetime(2024, 5, 1, 22, 0, tzinfo=UTC)
FINISHED = datetime(2024, 5, 1, 22, 2, 5, tzinfo=UTC)

PROFILE_YAML = """\
id: debian-12
name: Debian 12 (bookworm)
family: debian
release: "12"
osinfo:
  id: http://debian.org/debian/12
lifecycle:
  released: 2023-06-10
  end_of_life: 2026-06-10
  end_of_support: 2028-06-30
  source: lifecycle
architecture: x86_64
hardware:
  memory_mib: {minimum: 512, recommended: 1024}
  vcpus: {minimum: 1, recommended: 2, maximum: 240}
  disk_gib: {minimum: 2, recommended: 4}
  machine_types: [q35, pc]
  disk_buses: [virtio, sata]
  nic_models: [virtio]
  cpu_floor: x86-64
  tpm: optional
variants: [bios, uefi]
hyperv:
  listed: true
  generations: [1, 2]
  secure_boot_template: MicrosoftUEFICertificateAuthority
  integration_services: package
  maximum_vcpus: {generation_1: 64, generation_2: 240}
  source: matrix
provisioning: [bootstrap, cloud-image]
recipe: debian-12
channels: [agent, console]
budgets: {ready_seconds: 60, shutdown_seconds: 30}
drivers: {disk: virtio_blk, nic: virtio_net}
sources:
  lifecycle: https://example.org/lifecycle
  matrix: https://example.org/matrix
claims:
  - on: qemu
    features: [boot.ready, boot.pause]
    claim: supported
    source: matrix
"""


def edited(text: str, old: str, new: str) -> str:
    """`text` with its only `old` made `new`."""
    assert text.count(old) == 1, f"{old!r} is there {text.count(old)} times"
    return text.replace(old, new)


def line_of(text: str, part: str) -> int:
    """The number of the first line of `text` that holds `part`."""
    return next(n for n, line in enumerate(text.splitlines(), 1) if part in line)


def a_profile(
    guest: str = GUEST,
    *,
    supported: Sequence[str] = (),
    unsupported: Sequence[str] = (),
    on: HypervisorKind = HypervisorKind.QEMU,
    issues: Sequence[KnownIssue] = (),
    **fields: object,
) -> Profile:
    """A sound profile that claims just these features, on one hypervisor."""
    claims = [
        {"on": str(on), "features": list(features), "claim": claim, "source": "vendor"}
        for claim, features in (("supported", supported), ("unsupported", unsupported))
        if features
    ]
    document: dict[str, Any] = {
        "id": guest,
        "name": guest.replace("-", " ").title(),
        "family": guest.partition("-")[0],
        "release": guest.partition("-")[2],
        "osinfo": {"id": f"http://example.org/{guest}"},
        "lifecycle": {
            "released": date(2023, 6, 10),
            "end_of_life": date(2026, 6, 10),
            "end_of_support": date(2028, 6, 30),
            "source": "vendor",
        },
        "architecture": "x86_64",
        "hardware": {
            "memory_mib": {"minimum": 512, "recommended": 1024},
            "vcpus": {"minimum": 1, "recommended": 2},
            "disk_gib": {"minimum": 2, "recommended": 4},
            "machine_types": ["q35"],
            "disk_buses": ["virtio"],
            "nic_models": ["virtio"],
            "cpu_floor": "x86-64",
            "tpm": "optional",
        },
        "variants": ["bios", "uefi"],
        "provisioning": ["bootstrap"],
        "recipe": guest,
        "channels": ["agent", "console"],
        "budgets": {"ready_seconds": 60, "shutdown_seconds": 30},
        "drivers": {"disk": "virtio_blk", "nic": "virtio_net"},
        "sources": {"vendor": SOURCE},
        "known_issues": [issue.model_dump() for issue in issues],
        "claims": claims,
    }
    return Profile.model_validate(document | fields)


def a_known_issue(feature: str = "boot.ready", number: int = 7, **fields: object) -> KnownIssue:
    """A recorded failure, unique by its number."""
    document: dict[str, object] = {
        "feature": feature,
        "pattern": r"stall of \d+ s",
        "reason": f"issue {number}",
        "url": f"https://example.org/issues/{number}",
        "owner": "kernel team",
        "expires": date(2024, 6, 30),
    }
    return KnownIssue.model_validate(document | fields)


def a_feature(
    feature: str = "boot.ready",
    builds_on: str | None = None,
    *,
    tier: Tier = Tier.SMOKE,
    planned: bool = False,
) -> Feature:
    """A row of the matrix."""
    return Feature(
        id=feature,
        title=f"Title of {feature}",
        group="Some",
        meaning=f"What {feature} promises.",
        severity=Severity.CRITICAL,
        tier=tier,
        qemu="a device",
        builds_on=builds_on,
        planned=planned,
    )


def an_outcome(
    ended: Outcome = Outcome.PASSED,
    feature: str = "boot.ready",
    *,
    guest: str = GUEST,
    variant: Firmware = Firmware.BIOS,
    reason: str = "",
    case: str = "suites/boot/test_ready.py::test_it_boots",
    parameters: str = "",
    seconds: float = 1.5,
    title: str = "",
    evidence: Sequence[str] = (),
    metrics: Sequence[Metric] = (),
    **fields: Any,
) -> OutcomeRecord:
    """The outcome of one case."""
    return OutcomeRecord(
        id=case_id(feature, case),
        case=case,
        parameters=parameters,
        feature=feature,
        guest=guest,
        variant=str(variant),
        hypervisor=URI,
        outcome=ended,
        reason=reason,
        seconds=seconds,
        title=title,
        evidence=tuple(evidence),
        metrics=tuple(metrics),
        rerun=f"pytest '{case}' --guest {guest} --variant {variant}",
        **fields,
    )


def a_verdict(
    verdict: Verdict = Verdict.VERIFIED,
    feature: str = "boot.ready",
    *,
    variant: Firmware = Firmware.BIOS,
    guest: str = GUEST,
    reason: str = "",
    **fields: Any,
) -> VerdictRecord:
    """A run's verdict on a feature that is claimed as supported."""
    document: dict[str, Any] = {"claim": Claim.SUPPORTED, "required": True}
    return VerdictRecord(
        guest=guest,
        variant=str(variant),
        hypervisor=URI,
        feature=feature,
        verdict=verdict,
        reason=reason,
        **(document | fields),
    )


def a_certificate(
    status: Status = Status.CERTIFIED,
    guest: str = GUEST,
    *,
    reasons: Sequence[str] = (),
    scope: Scope | None = None,
) -> CertificateRecord:
    """A run's certificate of a guest."""
    return CertificateRecord(
        guest=guest, hypervisor=URI, status=status, reasons=tuple(reasons), scope=scope
    )


def an_environment(**facts: str) -> Environment:
    """Where a run took place; `facts` are of the host."""
    return Environment(
        harness="0.1",
        python="3.11.2",
        hypervisor="QEMU",
        hypervisor_version="7.2.0",
        hypervisor_uri=URI,
        accelerator="kvm",
        accelerator_reason="a guest ran under it",
        host=HostFacts(**facts),
        guests={GUEST: GuestBuild(image="sha256:0123")},
    )


def a_run(
    *outcomes: OutcomeRecord,
    verdicts: Sequence[VerdictRecord] = (),
    certificates: Sequence[CertificateRecord] = (),
    selection: str = "",
    environment: Environment | None = None,
    completion: Completion = Completion.COMPLETE,
) -> RunRecord:
    """The record of a run of two minutes."""
    return RunRecord(
        run="20240501-220000-abcd",
        started=STARTED,
        finished=FINISHED,
        tier=Tier.STANDARD,
        selection=selection,
        completion=completion,
        environment=environment or an_environment(),
        ledger={"boot": 90.0, "harness": 30.0},
        outcomes=outcomes,
        verdicts=tuple(verdicts),
        certificates=tuple(certificates),
    )


def a_context(folder: Path, **fields: Any) -> RunContext:
    """The context of a run whose reports and store are in `folder`."""
    context = RunContext(
        owner=own("20231112-101112-abcd"),
        reports=folder / "reports",
        store=folder / "store",
        hypervisor="qemu:///system",
        kind=HypervisorKind.QEMU,
        accelerator=Accelerator.TCG,
        accelerator_reason="a test asks for it",
        image=None,
        recipe=None,
        tier=Tier.SMOKE,
        password="correct horse",
    )
    return replace(context, **fields)
