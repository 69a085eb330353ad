"""Background programs of a Linux guest."""

from __future__ import annotations

import base64
from pathlib import Path

from harness.errors import HarnessError
from harness.guests.answers import decimal, word
from harness.guests.linux.shell import LinuxShell

ECHO = Path(__file__).with_name("tcp_echo.py")
ECHO_IN_GUEST = "/run/guestcert-tcp-echo.py"
ECHO_OUTPUT = "/run/guestcert-echo"
COUNTED = "/run/guestcert-count"

COUNT = (
    '(n=0; while :; do n=$((n+1)); echo $n >"$1.new"; mv "$1.new" "$1"; sleep 0.2; done) >&- 2>&- &'
)

LOAD = (
    "for n in $(seq $(nproc)); do (while :; do :; done) >&- 2>&- & done;"
    " (while :; do dd if=/dev/zero of=/var/tmp/load bs=64k count=200 conv=fsync; done)"
    " >/dev/null 2>&1 &"
)

ARGUMENTS = "for c in /proc/[0-9]*/cmdline; do tr '\\0' '\\n' <\"$c\" 2>/dev/null; done; :"


class LinuxWorkload(LinuxShell):
    """See harness.guests.os.Workload."""

    def carry(self, program: Path, target: str) -> None:
        """Write a Python program, which needs the standard library only, to `target` in the guest.

        Raises HarnessError where the guest cannot run it: that is not a verdict on the guest.
        """
        data = base64.b64encode(program.read_bytes()).decode()
        self.sh('echo "$1" | base64 -d > "$2"', data, target)
        if not self.succeeds("python3", "-c", "import socket"):
            raise HarnessError(
                f"the guest has no Python to run {program.name} with",
                remedy="add python3 to its recipe; cloud-init brings it along",
            )

    def start_ticking(self) -> None:
        """Print `tick` on the console five times a second."""
        self.sh("(while echo tick >/dev/ttyS0; do sleep 0.2; done) >/dev/null 2>&1 &")

    def start_counting(self) -> None:
        """Start a process that keeps raising a number, which `count` reads."""
        self.sh(COUNT, COUNTED)

    def start_echo_server(self, port: int) -> None:
        """Echo the data of one TCP connection."""
        self.carry(ECHO, ECHO_IN_GUEST)
        self.sh(
            'python3 "$1" server "$2" >"$3" 2>&1 </dev/null &',
            ECHO_IN_GUEST,
            str(port),
            ECHO_OUTPUT,
        )

    def echo_server_listens(self) -> bool:
        """Whether the echo server listens."""
        return "ready" in self.read(ECHO_OUTPUT)

    def start_echo_client(self, address: str, port: int) -> None:
        """Raise the number with each echo that comes back over one TCP connection."""
        self.carry(ECHO, ECHO_IN_GUEST)
        self.sh(
            'python3 "$1" client "$2" "$3" "$4" >&- 2>&- </dev/null &',
            *(ECHO_IN_GUEST, address, str(port), COUNTED),
        )

    def count(self) -> str:
        """The number; `0` before the first, and the process's last message once it has given up."""
        return self.sh('cat "$1" 2>/dev/null || echo 0', COUNTED).strip()

    def start_load(self) -> None:
        """Keep all processors and the disk busy."""
        self.sh(LOAD)

    def load(self) -> float:
        """The kernel's average of the last minute, three seconds from now."""
        return decimal(word(self.sh("sleep 3; cat /proc/loadavg"), 0, "load"), "load")

    def runs(self, argument: str) -> bool:
        """Whether a process with this argument runs."""
        return argument in self.sh(ARGUMENTS).splitlines()
