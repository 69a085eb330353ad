"""Background programs of a Windows guest."""

from __future__ import annotations

from harness.guests.answers import fields, flag
from harness.guests.windows.powershell import WindowsShell


class WindowsWorkload(WindowsShell):
    """See harness.guests.os.Workload."""

    def start_ticking(self) -> None:
        """Print `tick` on the console five times a second."""
        self.start("ticking")

    def start_counting(self) -> None:
        """Start a process that keeps raising a number, which `count` reads."""
        self.start("counting")

    def start_echo_server(self, port: int) -> None:
        """Echo the data of one TCP connection."""
        self.start("echo_server", str(port))

    def echo_server_listens(self) -> bool:
        """Whether the echo server listens."""
        return self._file("answers") == "ready"

    def start_echo_client(self, address: str, port: int) -> None:
        """Raise the number with each echo that comes back over one TCP connection."""
        self.start("echo_client", address, str(port))

    def count(self) -> str:
        """The number; `0` before the first, and the process's last message once it has given up."""
        return self._file("count") or "0"

    def start_load(self) -> None:
        """Keep all processors and the disk busy."""
        self.start("loading")

    def load(self) -> float:
        """How busy the busiest processor was in the last second, in percent."""
        found = self.instances("Win32_Processor", "LoadPercentage")
        return float(max((one.number("LoadPercentage") for one in found), default=0))

    def runs(self, argument: str) -> bool:
        """Whether a process with this on its command line runs."""
        return flag(self.ask("runs", argument), "processes")

    def _file(self, name: str) -> str:
        """The content of one of guestcert's files; empty where it does not exist yet."""
        return fields(self.ask("read_file", name), "file").text("text")
