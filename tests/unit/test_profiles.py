"""The folder of profiles: families, series, and what is seen only beside the other files."""

from __future__ import annotations

import time
from datetime import date
from pathlib import Path

import pytest
from pydantic import ValidationError

from harness.errors import BadFileError
from harness.profiles.claims import ClaimKind, HypervisorKind
from harness.profiles.loader import digest, examine_profiles, load_profiles, resolve_profiles
from harness.profiles.model import Profile
from harness.profiles.rendering import shown
from tests.unit.builders import PROFILE_YAML, a_known_issue, a_profile, edited, line_of

QEMU, HYPERV = HypervisorKind.QEMU, HypervisorKind.HYPERV

SERIES_YAML = """\
parent: debian
id: debian-{release}
name: Debian {release}
osinfo: {id: 'http://debian.org/debian/{release}'}
releases:
  - release: "11"
    lifecycle: {released: 2021-08-14}
  - release: "12"
    lifecycle: {end_of_life: 2026-06-10}
    hardware:
      memory_mib: {minimum: 768}
"""


def family_yaml() -> str:
    """The common profile without what a release has of its own."""
    kept = [line for line in PROFILE_YAML.splitlines() if not line.startswith(("id:", "release:"))]
    return "\n".join(kept) + "\n"


def ids(profiles: list[Profile]) -> list[str]:
    return [profile.id for profile in profiles]


def write(folder: Path, **texts: str) -> None:
    """Write profiles, and families where the name begins with `family_`."""
    (folder / "families").mkdir(exist_ok=True)
    for name, text in texts.items():
        own = name.replace("_", "-")
        place = f"families/{own.removeprefix('family-')}" if own.startswith("family-") else own
        (folder / f"{place}.yaml").write_text(text, encoding="utf-8")


# Families and series


def test_a_series_makes_a_profile_of_each_release(folder: Path) -> None:
    write(folder, debian=SERIES_YAML, family_debian=family_yaml())
    eleven, twelve = load_profiles(folder)
    assert (eleven.id, eleven.name, twelve.release) == ("debian-11", "Debian 11", "12")
    assert eleven.osinfo.id == "http://debian.org/debian/11"
    assert eleven.lifecycle.released == date(2021, 8, 14)
    assert twelve.lifecycle.released == date(2023, 6, 10), "the family's own"
    assert twelve.hardware.memory_mib.minimum == 768
    assert twelve.hardware.memory_mib.recommended == 1024, "from the family's range"


def test_each_value_is_shown_with_its_place(folder: Path) -> None:
    write(folder, debian=SERIES_YAML, family_debian=family_yaml())
    text = shown(resolve_profiles(folder)[1].located, folder)
    lines = {line.split("#")[0].strip(): line.split("# ")[-1] for line in text.splitlines()}
    assert lines["minimum: 768"] == f"debian.yaml:{line_of(SERIES_YAML, '768')}"
    assert lines["recommended: 1024"] == f"families/debian.yaml:{line_of(family_yaml(), '512')}"
    assert lines['id: "debian-12"'] == "debian.yaml:2"


def test_a_family_s_mistake_is_told_once_and_in_its_own_file(folder: Path) -> None:
    wrong = edited(family_yaml(), "tpm: optional", "tpm: perhaps")
    write(folder, debian=SERIES_YAML, family_debian=wrong)
    (problem,) = examine_profiles(folder).problems
    assert problem.file == folder / "families" / "debian.yaml"
    assert problem.line == line_of(wrong, "perhaps")


# Beside the other files


def test_a_folder_without_a_profile_is_a_problem(folder: Path) -> None:
    with pytest.raises(BadFileError, match="has no profiles"):
        load_profiles(folder)


def test_a_feature_is_not_taken_for_a_longer_one_on_an_earlier_line(folder: Path) -> None:
    text = edited(PROFILE_YAML, "[boot.ready, boot.pause]", "[boot.ready,\n      boot.read]")
    write(folder, debian_12=text)
    (problem,) = examine_profiles(folder).problems
    assert problem.line == line_of(text, "boot.read]")


def test_every_problem_of_every_file_is_found(folder: Path) -> None:
    text = edited(PROFILE_YAML, "recipe: debian-12", "recipe: none")
    write(folder, a="id: [", debian_12=edited(text, "source: lifecycle", "source: lifecicle"))
    problems = examine_profiles(folder).problems
    assert [(p.file.name, p.field) for p in problems] == [
        ("a.yaml", "YAML"),
        ("debian-12.yaml", "lifecycle.source"),
        ("debian-12.yaml", "recipe"),
    ]


# The project's own


def test_the_project_s_own_profiles_are_many_sound_and_quick_to_read() -> None:
    started = time.perf_counter()
    profiles = load_profiles()
    print(f"{len(profiles)} profiles read in {time.perf_counter() - started:.2f} s")
    assert len(profiles) >= 120
    assert "debian-12" in ids(profiles)


@pytest.mark.parametrize("profile", load_profiles(), ids=lambda profile: profile.id)
def test_a_firmware_that_is_no_variant_is_claimed_as_unsupported_or_not_at_all(
    profile: Profile,
) -> None:
    """Else no run on QEMU could ever certify the guest: the feature would stay untested."""
    for firmware in {"bios", "uefi"} - {str(v) for v in profile.variants}:
        if firmware == "uefi" and "secure-boot" in profile.variants:
            continue
        claim = profile.claim_of(f"boot.firmware.{firmware}", QEMU)
        assert claim is not ClaimKind.SUPPORTED


# Facts


def test_a_claim_is_of_its_hypervisor() -> None:
    profile = a_profile(supported=["boot.ready"], unsupported=["boot.pause"])
    assert profile.claim_of("boot.ready", QEMU) is ClaimKind.SUPPORTED
    assert profile.claim_of("boot.pause", QEMU) is ClaimKind.UNSUPPORTED
    assert profile.claim_of("boot.reset", QEMU) is None
    assert profile.claim_of("boot.ready", HYPERV) is None


def test_what_sources_dispute_can_not_be_held_against_an_outcome() -> None:
    claims = [
        {"on": "qemu", "features": ["boot.ready"], "claim": claim, "source": source}
        for claim, source in (("supported", "vendor"), ("unsupported", "other"))
    ]
    sources = {"vendor": "https://example.org/1", "other": "https://example.org/2"}
    profile = a_profile(claims=claims, sources=sources)
    assert profile.claim_of("boot.ready", QEMU) is None
    assert len(profile.claims_of("boot.ready", QEMU)) == 2


def test_support_is_over_the_day_after_its_end() -> None:
    lifecycle = a_profile().lifecycle
    assert not lifecycle.is_over(date(2028, 6, 30))
    assert lifecycle.is_over(date(2028, 7, 1))
    rolling = a_profile(lifecycle={"source": "vendor"}).lifecycle
    assert not rolling.is_over(date(2999, 1, 1))


def test_a_known_issue_holds_to_the_end_of_its_last_day() -> None:
    issue = a_known_issue(expires=date(2024, 6, 30))
    reason = "a stall of 20 s"
    assert issue.matches("boot.ready", reason, today=date(2024, 6, 30))
    assert not issue.matches("boot.ready", reason, today=date(2024, 7, 1))


def test_a_known_issue_is_of_its_feature_and_its_reason_alone() -> None:
    issue = a_known_issue("boot.ready", pattern=r"stall of \d+ s")
    today = date(2024, 1, 1)
    assert issue.matches("boot.ready", "saw a stall of 20 s there", today=today)
    assert not issue.matches("boot.reset", "a stall of 20 s", today=today)
    assert not issue.matches("boot.ready", "a stall of many s", today=today)


def test_a_pattern_that_is_none_is_refused() -> None:
    with pytest.raises(ValidationError, match="pattern is not a regular expression"):
        a_known_issue(pattern="(")


def test_the_digest_follows_the_facts() -> None:
    assert digest(a_profile()) == digest(a_profile())
    assert digest(a_profile()) != digest(a_profile(release="12.1"))
