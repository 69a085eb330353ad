"""A guest's record of its operating system, compared with its profile."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pydantic import ValidationError

from harness.errors import ChannelError, NotApplicable
from harness.guests.os.product import OsRelease, release_of
from harness.oracles.identity import mismatches
from harness.profiles.identity import Builds, Identity
from harness.profiles.loader import load_profiles
from harness.profiles.model import System
from tests.unit.test_linux import saying
from tests.unit.windows_operations import asking

PROFILES = {profile.id: profile for profile in load_profiles()}

DEBIAN_12 = (
    'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"\nVERSION_ID="12"\n'
    'VERSION="12 (bookworm)"\nVERSION_CODENAME=bookworm\nID=debian\n'
    'HOME_URL="https://www.debian.org/"\n'
)
DEBIAN_13 = DEBIAN_12.replace("12", "13").replace("bookworm", "trixie")
FORKY = (
    'PRETTY_NAME="Debian GNU/Linux forky/sid"\nNAME="Debian GNU/Linux"\n'
    "VERSION_CODENAME=forky\nID=debian\n"
)


def os_release(id_: str, version: str, name: str, like: str = "") -> dict[str, str]:
    """The file of most vendors, which quote everything."""
    return {
        "os-release": f'NAME="{name}"\nVERSION="{version} (Name)"\nID="{id_}"\nID_LIKE="{like}"\n'
        f'VERSION_ID="{version}"\nPRETTY_NAME="{name} {version} (Name)"\n'
    }


def red_hat(line: str) -> dict[str, str]:
    return {"redhat-release": f"{line}\n"}


def suse(version: str, patch_level: str, title: str = "SUSE Linux Enterprise Server") -> str:
    first = f"{title} {version} (x86_64)"
    return f"{first}\nVERSION = {version}\nPATCHLEVEL = {patch_level}\n"


PRECISE = 'NAME="Ubuntu"\nVERSION="12.04.5 LTS, Precise Pangolin"\nID=ubuntu\nID_LIKE=debian\n'

KNOWN: dict[str, dict[str, str]] = {
    "debian-12": {"os-release": DEBIAN_12, "debian_version": "12.5\n"},
    "debian-7": {
        "os-release": 'PRETTY_NAME="Debian GNU/Linux 7 (wheezy)"\nNAME="Debian GNU/Linux"\n'
        'VERSION_ID="7"\nVERSION="7 (wheezy)"\nID=debian\nANSI_COLOR="1;31"\n'
    },
    "debian-sid": {"os-release": FORKY, "debian_version": "forky/sid\n"},
    "debian-testing": {"os-release": FORKY, "debian_version": "forky/sid\n"},
    "ubuntu-12.04": {
        "os-release": f'{PRECISE}PRETTY_NAME="Ubuntu precise (12.04.5 LTS)"\nVERSION_ID="12.04"\n',
        "lsb-release": "DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=12.04\nDISTRIB_CODENAME=precise\n",
        "debian_version": "wheezy/sid\n",
    },
    "ubuntu-24.04": os_release("ubuntu", "24.04", "Ubuntu", "debian"),
    "fedora-43": {"os-release": 'NAME="Fedora Linux"\nID=fedora\nVERSION_ID=43\n'},
    "centos-5": red_hat("CentOS release 5.11 (Final)"),
    "centos-6": red_hat("CentOS release 6.10 (Final)"),
    "centos-7": os_release("centos", "7", "CentOS Linux", "rhel fedora"),
    "centos-stream-8": os_release("centos", "8", "CentOS Stream", "rhel fedora"),
    "rhel-5.2": red_hat("Red Hat Enterprise Linux Server release 5.2 (Tikanga)"),
    "rhel-6.10": red_hat("Red Hat Enterprise Linux Server release 6.10 (Santiago)"),
    "rhel-7.9": os_release("rhel", "7.9", "Red Hat Enterprise Linux Server", "fedora"),
    "rhel-9.4": os_release("rhel", "9.4", "Red Hat Enterprise Linux", "fedora"),
    "almalinux-8": os_release("almalinux", "8.10", "AlmaLinux", "rhel centos fedora"),
    "rocky-9": os_release("rocky", "9.4", "Rocky Linux", "rhel centos fedora"),
    "oracle-linux-8": os_release("ol", "8.10", "Oracle Linux Server", "fedora"),
    "alpine-3.20": {"os-release": 'NAME="Alpine Linux"\nID=alpine\nVERSION_ID=3.20.3\n'},
    "opensuse-leap-15.6": os_release("opensuse-leap", "15.6", "openSUSE Leap", "suse opensuse"),
    "opensuse-tumbleweed": os_release("opensuse-tumbleweed", "20250901", "openSUSE Tumbleweed"),
    "sles-10-sp4": {"SuSE-release": suse("10", "4")},
    "sles-11": {"SuSE-release": suse("11", "0")},
    "sles-11-sp4": os_release("sles", "11.4", "SLES") | {"SuSE-release": suse("11", "4")},
    "sles-12": os_release("sles", "12", "SLES"),
    "sles-15-sp6": os_release("sles", "15.6", "SLES", "suse"),
    "generic-linux": os_release("slackware", "15.0", "Slackware"),
}
"""What a guest of each profile has under /etc. Source: the files of the vendors' images."""


def output(files: dict[str, str], machine: str = "x86_64", elf: str = "2\n62") -> str:
    """What the script prints on a guest that has these files under /etc."""
    bodies = "".join(f"={name}\n{body}\n" for name, body in files.items())
    return f"Linux\n6.1.0-18-amd64\n{machine}\n-\n   {elf}\n{bodies}"


def linux(files: dict[str, str], **other: str) -> OsRelease:
    return release_of(output(files, **other))


def freebsd(kernel: str, userland: str = "-") -> OsRelease:
    return release_of(f"FreeBSD\n{kernel}\namd64\n{userland}\n  2\n  62\n")


@pytest.mark.parametrize("guest", KNOWN)
def test_a_guest_is_what_its_profile_describes(guest: str) -> None:
    assert mismatches(PROFILES[guest], linux(KNOWN[guest])) == []


@pytest.mark.parametrize(
    ("guest", "files", "words"),
    [
        ("debian-12", {"os-release": DEBIAN_13}, "its release is '13', the profile's is '12'"),
        ("debian-12", {"os-release": FORKY, "debian_version": "forky/sid"}, "release is 'sid'"),
        ("debian-13", {"os-release": FORKY, "debian_version": "trixie/sid"}, "release is 'sid'"),
        ("debian-testing", {"os-release": DEBIAN_13, "debian_version": "13.1"}, "release is '13'"),
        # A derivative is like its parent, and is not it.
        ("debian-12", os_release("raspbian", "12", "Raspbian", "debian"), "'raspbian'"),
        ("debian-12", KNOWN["ubuntu-24.04"], "its distribution is 'ubuntu'"),
        ("rhel-9.4", KNOWN["rocky-9"], "its distribution is 'rocky'"),
        ("rhel-8.1", os_release("rhel", "8.10", "Red Hat Enterprise Linux"), "release is '8.10'"),
        ("rhel-6.1", KNOWN["rhel-6.10"], "release is '6.10'"),
        ("rhel-6.10", red_hat("Scientific Linux release 6.10 (Carbon)"), "'Scientific Linux'"),
        ("centos-6", KNOWN["rhel-6.10"], "its distribution is 'rhel'"),
        ("centos-stream-8", os_release("centos", "8", "CentOS Linux"), "its name is 'CentOS Li"),
        ("almalinux-10", os_release("almalinux", "10", "AlmaLinux Kitten"), "Kitten"),
        ("almalinux-8", os_release("almalinux", "9.4", "AlmaLinux"), "release is '9.4'"),
        ("alpine-3.20", {"os-release": "ID=alpine\nVERSION_ID=3.20_alpha20240329"}, "alpha"),
        ("alpine-3.20", {"os-release": "ID=alpine\nVERSION_ID=3.2\n"}, "release is '3.2'"),
        ("sles-15", KNOWN["sles-15-sp6"], "its release is '15.6', the profile's is '15'"),
        ("sles-11", {"SuSE-release": suse("11", "4")}, "release is '11.4'"),
        (
            "sles-11",
            {"SuSE-release": suse("11", "0", "SUSE Linux Enterprise Desktop")},
            "distribution is 'sled'",
        ),
        ("opensuse-leap-15.6", KNOWN["opensuse-tumbleweed"], "'opensuse-tumbleweed'"),
        ("debian-12", {}, "its distribution is ''"),
        ("debian-12", {"os-release": "ID=debian\n"}, "its release is ''"),
        ("freebsd-14.1", KNOWN["debian-12"], "its kernel is Linux, the profile's is FreeBSD"),
    ],
)
def test_another_system_is_told_apart(guest: str, files: dict[str, str], words: str) -> None:
    (first, *_) = mismatches(PROFILES[guest], linux(files))
    assert words in first


@pytest.mark.parametrize(
    ("guest", "machine", "elf", "words"),
    [
        ("debian-12", "i686", "1\n3", "kernel is built for i686, the profile is for x86_64"),
        ("debian-12", "x86_64", "1\n3", "system is built for i686, the profile is for x86_64"),
        ("debian-12-i386", "x86_64", "2\n62", "kernel is built for x86_64"),
        ("generic-linux", "aarch64", "2\n183", "kernel is built for aarch64"),
        ("debian-12", "x86_64", "1\n62", "system is built for ELF 1/62"),  # x32
    ],
)
def test_another_architecture_is_told_apart(guest: str, machine: str, elf: str, words: str) -> None:
    found = mismatches(PROFILES[guest], linux(KNOWN["debian-12"], machine=machine, elf=elf))
    assert words in "; ".join(found)


def test_a_32_bit_guest_is_what_its_profile_describes() -> None:
    reported = linux(KNOWN["debian-12"], machine="i686", elf="1\n3")
    assert mismatches(PROFILES["debian-12-i386"], reported) == []


@pytest.mark.parametrize(
    ("kernel", "userland", "release"),
    [
        ("14.1-RELEASE-p3", "14.1-RELEASE-p5", "14.1"),
        ("9.3-RELEASE-p16", "-", "9.3"),  # freebsd-version came with 10.0
        ("14.1-STABLE", "14.1-STABLE", "14.1-STABLE"),
        ("14.1-RELEASE", "14.2-BETA1", "14.2-BETA1"),
    ],
)
def test_freebsd_is_its_userland_s_release(kernel: str, userland: str, release: str) -> None:
    reported = freebsd(kernel, userland)
    assert (reported.release, reported.kernel) == (release, kernel)
    if "." in release and "-" not in release:
        assert mismatches(PROFILES[f"freebsd-{release}"], reported) == []
        assert mismatches(PROFILES["freebsd-13.0"], reported) != []
    else:
        assert mismatches(PROFILES["freebsd-14.1"], reported) != []


@pytest.mark.parametrize(
    ("system", "guest"),
    [
        ("server-2022", "windows-server-2022"),
        ("windows-11", "windows-11"),
        ("windows-7-sp1", "windows-7-sp1"),
        ("windows-11", "generic-windows"),
    ],
)
def test_a_windows_is_what_its_profile_describes(system: str, guest: str) -> None:
    reported = asking(system)[0].product.release()
    assert mismatches(PROFILES[guest], reported) == []


@pytest.mark.parametrize(
    ("guest", "change", "words"),
    [
        ("windows-server-2019", {}, "its build is 20348, the profile's is 17763"),
        ("windows-11", {}, "its build is 20348, the profile's is 22000 or later"),
        ("windows-10", {}, "the profile's is 10240 to 19045"),
        # Server 2025 and Windows 11 24H2 have one build number.
        (
            "windows-server-2025",
            {"release": "26100", "distribution": "windows"},
            "its product is windows, the profile's is windows-server",
        ),
        (
            "windows-10",
            {"release": "19045", "distribution": "windows", "edition": "Core"},
            "its edition is 'Core', the profile is for Pro, Enterprise, Education",
        ),
        ("windows-server-2022", {"architecture": "i686"}, "system is built for i686"),
        ("windows-server-2022", {"system": "Linux"}, "its kernel is Linux"),
    ],
)
def test_another_windows_is_told_apart(guest: str, change: dict[str, str], words: str) -> None:
    (first, *_) = mismatches(PROFILES[guest], replace(asking()[0].product.release(), **change))
    assert words in first


@pytest.mark.parametrize("edition", ["Professional", "ProfessionalN", "EnterpriseEval"])
def test_an_edition_without_a_player_and_one_for_a_trial_are_that_edition(edition: str) -> None:
    client = {"release": "19045", "distribution": "windows", "edition": edition}
    assert (
        mismatches(PROFILES["windows-10"], replace(asking()[0].product.release(), **client)) == []
    )


def test_every_profile_states_what_its_guest_is() -> None:
    for profile in PROFILES.values():
        if profile.system is System.WINDOWS:
            assert profile.windows is not None or profile.identity.any_distribution, profile.id
        stated = profile.identity.release or profile.release
        plain = profile.identity.rolling or profile.identity.any_distribution
        assert (
            plain
            or profile.system is System.WINDOWS
            or stated == "sid"
            or (stated.replace(".", "").isdecimal())
        ), f"{profile.id}: no guest records {stated!r} as its release"
    assert len(PROFILES) > 190, "the control: there are profiles"


def test_a_release_is_stated_once() -> None:
    with pytest.raises(ValidationError, match="more than one of release, rolling"):
        Identity(release="12", rolling=True)
    with pytest.raises(ValidationError, match="last build must not come before"):
        Builds(first=10, last=9)


@pytest.mark.parametrize("output", ["", "Linux\n", "Linux\n6.1\nx86_64\n-\n2"])
def test_an_answer_that_names_no_kernel_is_an_error(output: str) -> None:
    with pytest.raises(ChannelError, match="does not name its kernel"):
        release_of(output)


@pytest.mark.parametrize(
    "text", ['ID="debian\nVERSION_ID=12\n', "=\n==\n" * 500, "ID" * 4000, "\0\x1b[31m=x\n"]
)
def test_a_file_of_any_kind_is_read_without_an_error(text: str) -> None:
    reported = linux({"os-release": text, "debian_version": text})
    assert mismatches(PROFILES["debian-12"], reported) != []


def test_packages_are_listed_line_by_line() -> None:
    assert saying("acl 2.3.1-3 amd64\nzlib1g 1:1.2.13 amd64\n").product.packages(limit=100) == [
        "acl 2.3.1-3 amd64",
        "zlib1g 1:1.2.13 amd64",
    ]


def test_a_guest_without_a_package_manager_has_no_list() -> None:
    with pytest.raises(NotApplicable, match="none of dpkg, rpm"):
        saying("=\n").product.packages(limit=100)


def test_the_administrator_s_release_file_comes_before_the_vendor_s() -> None:
    text = output({"os-release": DEBIAN_12}) + f"=os-release\n{DEBIAN_13}\n"
    assert release_of(text).release == "12"
