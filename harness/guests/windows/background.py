"""Programs in the background of a Windows guest."""

from __future__ import annotations

from collections.abc import Sequence

from harness.errors import NotApplicable
from harness.guests.answers import flag, number, text
from harness.guests.background import CarriedProgram, Interpreter
from harness.guests.windows.powershell import WindowsShell, script_text, without_comments


class WindowsBackground(WindowsShell):
    """See harness.guests.os.Background. All outputs are on the disk."""

    def install_program(self, program: CarriedProgram) -> None:
        """Check that it has a version for Windows; its text is passed when it is started."""
        _script(program)

    def start_program(
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

    def program_output(self, output: str, *, limit: int, on_disk: bool = False) -> str:
        """The newest `limit` bytes of an output; empty where it is missing."""
        return text(self.ask("read_output", output, str(limit)), "program's output")

    def stop_program(self, process: int) -> None:
        """Kill a program; idempotent."""
        self._run(("taskkill.exe", "/f", "/pid", str(process)))

    def runs(self, argument: str) -> bool:
        """Whether a process with this on its command line runs."""
        return flag(self.ask("runs", argument), "processes")


def _script(program: CarriedProgram) -> str:
    if Interpreter.POWERSHELL not in program.texts:
        raise NotApplicable(f"the program {program.name} has no version for Windows")
    return without_comments(program.texts[Interpreter.POWERSHELL])
