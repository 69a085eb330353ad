"""The script `bootstrap`, over a system that is made of stubs: it decides, they do nothing."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import signal
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.waiting import Deadline, NotYet, wait_until

ROOT = Path(__file__).resolve().parents[2]
LOCK = (ROOT / "requirements.txt").read_text()
REAL_TOOLS = """
awk cat chmod cp cut dirname env flock grep mkdir readlink rm sed sh sha256sum sleep tail timeout
uname
"""

RECORD = 'echo "${0##*/} $*" >>"$CALLS"\n'

# One stub is every Python: it makes environments of itself, and "installs" by making the commands.
PYTHON = (
    RECORD
    + """
case "$*" in
"-I -") cat >/dev/null ;;
"-I -m venv "*) rm -rf "$5" && mkdir -p "$5/bin" && cp "$0" "$5/bin/python" ;;
"-I -m pip "*)
    pwd >>"$CALLS"
    [ -z "${PIP_FAILS:-}" ] || { echo "no such wheel"; exit 1; }
    [ -z "${PIP_HANGS:-}" ] || exec tail -f /dev/null
    for command in guestcert tox; do
        printf '#!/bin/sh\\necho "%s ran: $*"\\nexit "${GUESTCERT_EXIT:-0}"\\n' $command \\
            >"${0%/*}/$command"
        chmod +x "${0%/*}/$command"
    done ;;
esac
"""
)

STUBS = {
    "python3.13": PYTHON,
    "id": "echo 0\n",
    "virsh": "exit 0\n",
    "virtlogd": RECORD,
    "apt-get": RECORD + 'echo "E: no network" >&2\nexit 100\n',
    "dnf": RECORD + 'echo "E: no network" >&2\nexit 100\n',
    "zypper": RECORD + 'echo "E: no network" >&2\nexit 100\n',
    "rpm": 'case "$*" in *" ${ABSENT:-none}") exit 1 ;; esac\n',
    "dpkg-query": """shift 3
for name in "$@"; do
    [ "$name" = "${ABSENT:-none}" ] || printf '%s=installed ' "$name"
done
""",
}


@dataclass
class System:
    """A clone of the project's bootstrap, on a machine of stubs."""

    clone: Path
    programs: Path
    calls_file: Path

    def environment(self, **more: str) -> dict[str, str]:
        return {"PATH": str(self.programs), "CALLS": str(self.calls_file), **more}

    def run(
        self, *arguments: str, folder: Path | None = None, **more: str
    ) -> subprocess.CompletedProcess[str]:
        """Run bootstrap in `folder`; `more` is its environment, whence the stubs take orders."""
        self.calls_file.write_text("")
        return subprocess.run(
            [str(self.clone / "bootstrap"), *arguments],
            cwd=folder,
            env=self.environment(**more),
            text=True,
            capture_output=True,
            timeout=30,
            check=False,
        )

    def popen(self, **more: str) -> subprocess.Popen[str]:
        self.calls_file.write_text("")
        return subprocess.Popen(
            # A background process inherits Ctrl-C as ignored, and a shell can't trap it then.
            ["/usr/bin/env", "--default-signal=INT", str(self.clone / "bootstrap"), "doctor"],
            env=self.environment(**more),
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    @property
    def calls(self) -> str:
        """What the stubs that change something were asked to do."""
        return self.calls_file.read_text()


@pytest.fixture
def system(tmp_path: Path) -> System:
    clone = tmp_path / "a clone"  # a path with a space, as people have them
    programs = tmp_path / "bin"
    clone.mkdir()
    programs.mkdir()
    for name in ("bootstrap", "requirements.txt", "pyproject.toml", "tox.ini"):
        shutil.copy(ROOT / name, clone / name)
    for name in REAL_TOOLS.split():
        real = shutil.which(name)
        assert real is not None, f"this machine has no {name}"
        (programs / name).symlink_to(real)
    for name, body in STUBS.items():
        (programs / name).write_text("#!/bin/sh\n" + body)
        (programs / name).chmod(0o755)
    return System(clone, programs, tmp_path / "calls")


def test_bootstrap_is_a_posix_script() -> None:
    checked = subprocess.run(["sh", "-n", str(ROOT / "bootstrap")], check=False)
    assert checked.returncode == 0
    assert os.access(ROOT / "bootstrap", os.X_OK)


def test_the_first_run_makes_the_environment_and_hands_over(system: System) -> None:
    done = system.run("certify", "debian-12", "--tier", "smoke")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "guestcert ran: certify debian-12 --tier smoke\n"
    assert "--require-hashes" in system.calls


def test_the_second_run_does_nothing_but_hand_over(system: System) -> None:
    system.run("doctor")
    done = system.run("doctor")
    assert done.stdout == "guestcert ran: doctor\n"
    assert done.stderr == ""
    assert not re.search("python|apt-get|dnf|zypper", system.calls)


def test_without_arguments_it_shows_the_help(system: System) -> None:
    assert system.run().stdout == "guestcert ran: --help\n"


def test_the_word_test_runs_tox_with_what_follows(system: System) -> None:
    done = system.run("test", "-e", "unit")
    assert done.stdout == f"tox ran: run -c {system.clone}/tox.ini -e unit\n"


def test_the_exit_code_is_guestcerts_own(system: System) -> None:
    assert system.run("certify", GUESTCERT_EXIT="1").returncode == 1


def installing(system: System) -> None:
    if "--require-hashes" not in system.calls:
        raise NotYet(system.calls or "nothing")


@pytest.mark.parametrize("stopped_by", ["PIP_FAILS", "PIP_HANGS"])
def test_a_half_made_environment_is_made_again(system: System, stopped_by: str) -> None:
    if stopped_by == "PIP_FAILS":
        assert system.run("doctor", PIP_FAILS="1").returncode == 3
    else:
        half = system.popen(PIP_HANGS="1")
        wait_until(
            lambda: installing(system),
            awaited="bootstrap to install packages",
            deadline=Deadline(20),
            interval=0.05,
        )
        os.killpg(half.pid, signal.SIGINT)
        _, output = half.communicate(timeout=20)
        assert "the next run goes on" in output
        assert half.returncode == -signal.SIGINT
    done = system.run("doctor")
    assert done.returncode == 0
    assert "-m venv --clear" in system.calls


def test_modules_of_the_callers_folder_are_not_run(system: System, tmp_path: Path) -> None:
    hostile, ran = tmp_path / "downloads", tmp_path / "ran"
    hostile.mkdir()
    for module in ("ensurepip", "sysconfig", "venv", "pip"):
        (hostile / f"{module}.py").write_text(f"open({str(ran)!r}, 'a').write(__name__)\n")
    # The real interpreter sees the same arguments first, and would import what lies there.
    probe = PYTHON.replace('"-I -") cat >/dev/null', f'"-I -") {sys.executable} "$@"')
    (system.programs / "python3.13").write_text("#!/bin/sh\n" + probe)
    done = system.run("doctor", folder=hostile)
    assert done.returncode == 0, done.stderr
    assert not ran.exists()
    assert "-m venv --clear" in system.calls
    pythons = [line for line in system.calls.splitlines() if line.startswith("python")]
    assert all(line.split()[1] == "-I" for line in pythons), pythons
    assert str(system.clone) in system.calls.splitlines(), "pip reads the folder that it is in"


def test_a_changed_lock_makes_the_environment_again(system: System) -> None:
    system.run("doctor")
    with (system.clone / "requirements.txt").open("a") as lock:
        lock.write("# changed\n")
    system.run("doctor")
    assert "-m venv --clear" in system.calls


def test_a_changed_project_file_installs_only_the_project_again(system: System) -> None:
    system.run("doctor")
    with (system.clone / "pyproject.toml").open("a") as project:
        project.write("# changed\n")
    system.run("doctor")
    assert "--editable" in system.calls
    assert "-m venv" not in system.calls


def test_a_clone_that_was_moved_gets_a_new_environment(system: System) -> None:
    system.run("doctor")
    system.clone = system.clone.rename(system.clone.with_name("moved"))
    system.run("doctor")
    assert "-m venv --clear" in system.calls


def test_only_the_missing_package_is_installed_and_a_failure_ends_with_the_remedy(
    system: System,
) -> None:
    done = system.run("doctor", ABSENT="mtools")
    assert done.returncode == 3
    assert re.search(r"^(apt-get|dnf|zypper) .*install\b.* mtools$", system.calls, re.MULTILINE)
    assert "swtpm" not in system.calls
    assert "E: no network" in done.stderr
    assert done.stderr.splitlines()[-1].startswith("Try: ")


def test_a_system_without_a_known_package_manager_is_told_what_to_do(system: System) -> None:
    for manager in ("apt-get", "dnf", "zypper"):
        (system.programs / manager).unlink()
    done = system.run("doctor")
    assert done.returncode == 3
    assert "no package manager that bootstrap knows" in done.stderr
    assert "other-distributions.md" in done.stderr.splitlines()[-1]
    assert not (system.clone / ".venv").exists()


def test_a_user_without_sudo_is_told_so(system: System) -> None:
    (system.programs / "id").write_text("#!/bin/sh\necho 1000\n")
    done = system.run("doctor", ABSENT="mtools")
    assert done.returncode == 3
    assert "there is no sudo" in done.stderr


def test_no_python_that_is_new_enough_is_named(system: System) -> None:
    for name in ("python3.13", "python3.12", "python3.11", "python3"):
        (system.programs / name).write_text("#!/bin/sh\nexit 1\n")
        (system.programs / name).chmod(0o755)
    done = system.run("doctor")
    assert done.returncode == 3
    assert "Python 3.11 or newer" in done.stderr


def test_two_at_once_wait_for_each_other(system: System) -> None:
    with (system.clone / "bootstrap").open() as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        waiting = system.popen()
        assert waiting.stderr is not None
        assert "waiting for another bootstrap" in waiting.stderr.readline()
        assert not (system.clone / ".venv").exists()
    output, _ = waiting.communicate(timeout=20)
    assert waiting.returncode == 0
    assert output == "guestcert ran: doctor\n"


def test_the_lock_pins_every_package_by_digest() -> None:
    pins = re.findall(r"^(\S+)==\S+ \\\n +--hash=sha256:[0-9a-f]{64}", LOCK, re.M)
    named = re.findall(r"^(?!#)(\S+)==", LOCK, re.M)
    assert len(named) > 30
    assert pins == named


def test_the_lock_holds_no_address_path_or_option() -> None:
    lines = [line for line in LOCK.splitlines() if not line.startswith("#")]
    pin = re.compile(r"[a-z0-9.-]+==[\w.]+ \\|    --hash=sha256:[0-9a-f]{64}( \\)?")
    assert [line for line in lines if not pin.fullmatch(line)] == []


def test_the_lock_holds_every_dependency_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = project["dependencies"] + project["optional-dependencies"]["dev"]
    names = {re.split("[<>=~! ]", item)[0].lower().replace(".", "-") for item in asked}
    assert names <= set(re.findall(r"^(\S+)==", LOCK, re.M))


def test_the_guide_for_other_distributions_names_every_package() -> None:
    script = (ROOT / "bootstrap").read_text()
    lists = script.split("wanted_packages() {")[1].split("\n}\n")[0]
    echoed = re.findall(r"echo ((?:[a-z0-9_-]+(?: \\\n +| |$)?)+)", lists)
    names = {name for item in echoed for name in item.replace("\\\n", " ").split()}
    guide = (ROOT / "docs" / "how-to" / "other-distributions.md").read_text()
    assert {"qemu-system-x86", "edk2-ovmf", "qemu-ovmf-x86_64", "gcc"} <= names
    assert [name for name in sorted(names) if f"`{name}`" not in guide] == []


def test_kvm_is_given_to_its_group_where_no_udev_did(system: System) -> None:
    for name, body in (("stat", "echo 600\n"), ("chgrp", RECORD), ("chmod", RECORD)):
        (system.programs / name).unlink(missing_ok=True)
        (system.programs / name).write_text("#!/bin/sh\n" + body)
        (system.programs / name).chmod(0o755)
    system.run("doctor")
    assert "chgrp kvm /dev/kvm\nchmod 0660 /dev/kvm\n" in system.calls


def test_kvm_that_its_group_may_open_is_left_alone(system: System) -> None:
    (system.programs / "stat").write_text("#!/bin/sh\necho 660\n")
    (system.programs / "stat").chmod(0o755)
    system.run("doctor")
    assert "/dev/kvm" not in system.calls
