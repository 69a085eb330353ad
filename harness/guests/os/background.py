"""Programs in the background: carried into the guest, started, read, stopped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from harness.errors import HarnessError, NotApplicable
from harness.guests.answers import flag, number, text, whole_number
from harness.guests.background import CarriedProgram, Interpreter
from harness.guests.linux.shell import LinuxShell
from harness.guests.windows.powershell import WindowsShell, script_text, without_comments

IN_MEMORY, ON_DISK = "/run/guestcert", "/var/lib/guestcert"
"""Folders of outputs."""

INSTALL = 'mkdir -p "$1" && printf "%s\\n" "$3" >"$1/$2"'

START = """mkdir -p "$1"; GUESTCERT_OUTPUT=$1/$2; export GUESTCERT_OUTPUT; shift 2
"$@" >"$GUESTCERT_OUTPUT" 2>&1 </dev/null & echo $!"""

ARGUMENTS = "for c in /proc/[0-9]*/cmdline; do tr '\\0' '\\n' <\"$c\" 2>/dev/null; done; :"


class Background(Protocol):
    """Programs in the background: carried into the guest, started, read, stopped."""

    def install(self, program: CarriedProgram) -> None:
        """Make a program ready to start.

        Raises HarnessError where the guest lacks its interpreter, NotApplicable where the program
        has no version for this operating system.
        """

    def start(
        self,
        program: CarriedProgram,
        output: str,
        arguments: Sequence[str],
        *,
        on_disk: bool = False,
    ) -> int:
        """Start an installed program; returns its process id.

        `output` names its output, which survives a reboot if it is on the disk.
        """

    def output(self, output: str, *, limit: int, on_disk: bool = False) -> str:
        """The newest `limit` bytes of an output; empty where it is missing."""

    def stop(self, process: int) -> None:
        """Ask a program to end; idempotent."""

    def runs(self, argument: str) -> bool:
        """Whether a process with this argument runs."""


class LinuxBackground(LinuxShell):
    """See Background."""

    def install(self, program: CarriedProgram) -> None:
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

    def start(
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

    def output(self, output: str, *, limit: int, on_disk: bool = False) -> str:
        """The newest `limit` bytes of an output, errors included; empty where it is missing."""
        file = f"{_folder(on_disk)}/{output}"
        # The dot keeps the line end of a complete last line.
        return self.sh('tail -c "$1" "$2" 2>/dev/null; printf .', str(limit), file)[:-1]

    def stop(self, process: int) -> None:
        """Send SIGTERM to a program; idempotent."""
        self.sh('kill -TERM "$1" 2>/dev/null || :', str(process))

    def runs(self, argument: str) -> bool:
        """Whether a process with this argument runs."""
        return argument in self.sh(ARGUMENTS).splitlines()


class WindowsBackground(WindowsShell):
    """See Background. All outputs are on the disk."""

    def install(self, program: CarriedProgram) -> None:
        """Check that it has a version for Windows; its text is passed when it is started."""
        _script(program)

    def start(
        self,
        program: CarriedProgram,
        output: str,
        arguments: Sequence[str],
        *,
        on_disk: bool = False,
    ) -> int:
        """Start a program; returns its process id. It finds its arguments in its environment."""
        script = "\n".join((script_text("background"), _script(program)))
        return number(self.detach(script, output, *arguments), "process id")

    def output(self, output: str, *, limit: int, on_disk: bool = False) -> str:
        """The newest `limit` bytes of an output; empty where it is missing."""
        return text(self.ask("read_output", output, str(limit)), "program's output")

    def stop(self, process: int) -> None:
        """Kill a program; idempotent."""
        self._run(("taskkill.exe", "/f", "/pid", str(process)))

    def runs(self, argument: str) -> bool:
        """Whether a process with this on its command line runs."""
        return flag(self.ask("runs", argument), "processes")


def _interpreter(program: CarriedProgram) -> Interpreter:
    for interpreter in (Interpreter.SHELL, Interpreter.PYTHON):
        if interpreter in program.texts:
            return interpreter
    raise NotApplicable(f"the program {program.name} has no version for Linux")


def _file(program: CarriedProgram) -> str:
    return f"{program.name}.program"


def _folder(on_disk: bool) -> str:
    return ON_DISK if on_disk else IN_MEMORY


def _script(program: CarriedProgram) -> str:
    if Interpreter.POWERSHELL not in program.texts:
        raise NotApplicable(f"the program {program.name} has no version for Windows")
    return without_comments(program.texts[Interpreter.POWERSHELL])
