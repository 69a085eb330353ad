"""Programs in the background of a Linux guest."""

from __future__ import annotations

from collections.abc import Sequence

from harness.errors import HarnessError, NotApplicable
from harness.guests.answers import whole_number
from harness.guests.background import CarriedProgram, Interpreter
from harness.guests.linux.shell import LinuxShell

IN_MEMORY, ON_DISK = "/run/guestcert", "/var/lib/guestcert"
"""Folders of outputs."""

INSTALL = 'mkdir -p "$1" && printf "%s\\n" "$3" >"$1/$2"'

START = """mkdir -p "$1"; GUESTCERT_OUTPUT=$1/$2; export GUESTCERT_OUTPUT; shift 2
"$@" >"$GUESTCERT_OUTPUT" 2>&1 </dev/null & echo $!"""

ARGUMENTS = "for c in /proc/[0-9]*/cmdline; do tr '\\0' '\\n' <\"$c\" 2>/dev/null; done; :"


class LinuxBackground(LinuxShell):
    """See harness.guests.os.Background."""

    def install_program(self, program: CarriedProgram) -> None:
        """Write its text into a file; raises HarnessError where the guest lacks its interpreter."""
        interpreter = _interpreter(program)
        self.sh(INSTALL, IN_MEMORY, _file(program), program.texts[interpreter])
        if interpreter is Interpreter.PYTHON and not self.succeeds(
            "python3", "-c", "import socket"
        ):
            raise HarnessError(
                f"the guest has no Python to run {program.name} with",
                remedy="add python3 to its recipe; cloud-init brings it along",
            )

    def start_program(
        self,
        program: CarriedProgram,
        output: str,
        arguments: Sequence[str],
        *,
        on_disk: bool = False,
    ) -> int:
        """Start an installed program; returns its process id."""
        path = f"{IN_MEMORY}/{_file(program)}"
        started = (_folder(on_disk), output, _interpreter(program), path, *arguments)
        return whole_number(self.sh(START, *started), "process id", least=1)

    def program_output(self, output: str, *, limit: int, on_disk: bool = False) -> str:
        """The newest `limit` bytes of an output, errors included; empty where it is missing."""
        file = f"{_folder(on_disk)}/{output}"
        # The dot keeps the line end of a complete last line.
        return self.sh('tail -c "$1" "$2" 2>/dev/null; printf .', str(limit), file)[:-1]

    def stop_program(self, process: int) -> None:
        """Send SIGTERM to a program; idempotent."""
        self.sh('kill -TERM "$1" 2>/dev/null || :', str(process))

    def runs(self, argument: str) -> bool:
        """Whether a process with this argument runs."""
        return argument in self.sh(ARGUMENTS).splitlines()


def _interpreter(program: CarriedProgram) -> Interpreter:
    for interpreter in (Interpreter.SHELL, Interpreter.PYTHON):
        if interpreter in program.texts:
            return interpreter
    raise NotApplicable(f"the program {program.name} has no version for Linux")


def _file(program: CarriedProgram) -> str:
    return f"{program.name}.program"


def _folder(on_disk: bool) -> str:
    return ON_DISK if on_disk else IN_MEMORY
