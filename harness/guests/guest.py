"""A guest: a machine, its operating system, and the channels into it."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from harness.channels.agent import AgentChannel
from harness.channels.base import CommandChannel, CommandResult, CommandTimeoutError
from harness.channels.console import Console
from harness.channels.console_login import LOGIN_PROMPT, LoginRefused
from harness.channels.console_shell import ConsoleShell
from harness.channels.direct import DirectChannel
from harness.errors import (
    ChannelError,
    GuestFailure,
    GuestTimeout,
    HarnessError,
    NotApplicable,
)
from harness.events import Event, EventKind
from harness.guests.channels import EXECUTION, agent_of, direct_of
from harness.guests.crash_watch import CrashWatch
from harness.guests.guest_clock import GuestClock
from harness.guests.linux.system import LinuxOs
from harness.guests.log_rules import LogRules
from harness.guests.systems import os_of
from harness.hypervisors.base import Machine, MachineState
from harness.hypervisors.definitions import MachineDefinition
from harness.hypervisors.facets.console import CONSOLE
from harness.hypervisors.facets.direct import Login
from harness.hypervisors.facets.snapshots import SAVED_STATES, SNAPSHOTS
from harness.profiles.model import Profile, System
from harness.time_accounting import Phase, TimeLedger
from harness.waiting import Deadline, NotYet, let_pass, wait_until

T = TypeVar("T")

LAST_OUTPUT_SECONDS = 10.0
"""Seconds within which the host passes on the last output of a machine that stopped."""


@dataclass(frozen=True)
class Credentials:
    """The user that guestcert creates in its guests; the password is valid for one run."""

    user: str
    password: str = field(repr=False)


class Answer(StrEnum):
    """The channel through which a guest shows that it is ready."""

    AGENT = "agent"
    DIRECT = "direct"
    CONSOLE = "console"


class Guest:
    """One guest under test, from power-off on."""

    def __init__(
        self,
        machine: Machine,
        profile: Profile,
        credentials: Credentials,
        folder: Path,
        ledger: TimeLedger,
        redefine: Callable[[MachineDefinition], Machine],
    ) -> None:
        self.profile = profile
        self.credentials = credentials
        self.folder = folder
        self.ledger = ledger
        self.log_rules = LogRules.of(profile.system, profile.log_exceptions)
        self._attach(machine)
        self.os = os_of(profile, self.run, self.log_rules)
        self.crash_expected = False
        self.answers_by = Answer.AGENT
        self._redefine = redefine
        self._clock = GuestClock(self._seconds_starved)
        self._console: Console | None = None
        self._shell: ConsoleShell | None = None

    def _attach(self, machine: Machine) -> None:
        """Take this machine, with the channels and the watch that belong to it."""
        login = Login(self.credentials.user, self.credentials.password)
        self.machine = machine
        self.agent = agent_of(machine, self.profile)
        self.direct = direct_of(machine, self.profile, login)
        self.crash_watch = CrashWatch(
            machine.events, machine.definition.accelerator, self.log_rules.system.deaths
        )

    @property
    def name(self) -> str:
        """The machine's name."""
        return self.machine.name

    @property
    def definition(self) -> MachineDefinition:
        """The machine's definition: the expected value of hardware oracles."""
        return self.machine.definition

    @property
    def linux(self) -> LinuxOs:
        """The OS with its Linux-only operations; raises NotApplicable for other guests."""
        if not isinstance(self.os, LinuxOs) or self.profile.system is not System.LINUX:
            raise NotApplicable(f"{self.profile.id} is not Linux")
        return self.os

    @property
    def console(self) -> Console:
        """The serial console of the machine's current start."""
        if self._console is None:
            raise ChannelError(f"{self.name} has no open console: it was not started")
        return self._console

    @property
    def console_log(self) -> Path:
        """The complete output of the serial console, over all starts of the machine."""
        return self.folder / "console.log"

    def budget(self, seconds: float) -> Deadline:
        """A deadline for what takes `seconds` on KVM, scaled for the accelerator in use.

        It counts the guest's own time: what a busy host kept from it is not the guest's fault.
        """
        return Deadline(seconds * self.definition.accelerator.time_scale, self._clock)

    def wait_for(
        self,
        probe: Callable[[], T],
        awaited: str,
        *,
        seconds: float,
        interval: float = 0.25,
        error: Callable[[str], Exception] | None = None,
    ) -> T:
        """Wait until `probe` returns, for `seconds` (with KVM); returns its answer.

        It has no answer yet while it raises NotYet or returns False. Raises GuestTimeout or `error`
        after that time, and GuestCrashed once the guest crashes, unless the case expects a crash.
        """

        def answered() -> T:
            answer = probe()
            if answer is False:
                raise NotYet
            return answer

        with self.ledger.on_guest():
            return wait_until(
                answered,
                awaited=awaited,
                deadline=self.budget(seconds),
                interval=interval,
                watches=[] if self.crash_expected else [self.crash_watch],
                evidence=self.console_log,
                error=error,
            )

    def let_pass(self, seconds: float) -> None:
        """Leave the guest alone for a fixed time, in which it must not crash."""
        with self.ledger.on_guest():
            let_pass(seconds, [self.crash_watch])

    def _seconds_starved(self) -> float:
        """Of the machine that the guest has now: one that is redefined has another."""
        return self.machine.seconds_starved()

    # -- power ----------------------------------------------------------------------------

    def redefine(self, **changes: object) -> None:
        """Change the definition of the powered-off machine (fields of MachineDefinition).

        Raises HarnessError where the machine is not off: the case did not power it off.
        """
        if (state := self.machine.state()) is not MachineState.OFF:
            raise HarnessError(f"{self.name} must be off to be redefined, and is {state}")
        changed = dataclasses.replace(self.definition, **changes)  # type: ignore[arg-type]
        self._attach(self._redefine(changed))

    def power_on(self) -> None:
        """Start the machine with its console read from before the first instruction."""
        self.machine.start(paused=True)
        self.attach_console()
        self.machine.resume()

    def boot(self) -> Answer:
        """Power on and wait until ready; returns the channel that answered first."""
        with self.ledger.on(Phase.BOOT):
            self.power_on()
            return self.await_ready(since=0)

    def restore(self, state_file: Path) -> None:
        """Resume from a saved state and wait until the guest's channel answers."""
        with self.ledger.on(Phase.RESTORE):
            self.machine.facet(SAVED_STATES).restore(state_file, paused=True)
            self._resume_saved()

    def revert(self, snapshot: str) -> None:
        """Revert to a snapshot and wait until the guest's channel answers."""
        with self.ledger.on(Phase.RESTORE):
            self.machine.facet(SNAPSHOTS).revert(snapshot, paused=True)
            self._resume_saved()

    def _resume_saved(self) -> None:
        self.attach_console()
        self.machine.resume()
        self.await_ready(since=None)

    def attach_console(self) -> None:
        """Reopen the console (each start of a machine has a new one)."""
        self.hang_up()
        self._console = Console(self.machine.facet(CONSOLE).open(), self.console_log)
        self._shell = None
        self.crash_watch.follow(self._console)

    def hang_up(self) -> None:
        """Close the console, if one is open."""
        if self._console is not None:
            self._console.close()
            self._console = None
            self._shell = None

    def await_off(self, since: int, deadline: Deadline) -> Event:
        """Wait for the hypervisor's event that the machine stopped, after event mark `since`.

        The console then has the guest's last line.
        """
        with self.ledger.on_guest():
            stopped = self.machine.events.wait(
                lambda event: event.kind is EventKind.STOPPED,
                awaited=f"{self.name} to power off",
                since=since,
                deadline=deadline,
                watches=[self.crash_watch],
                evidence=self.console_log,
            )
            if self._console is not None:
                self._console.await_end(LAST_OUTPUT_SECONDS)
            return stopped

    def shut_down(self) -> None:
        """Power off from inside, which needs neither service nor power button, and wait for it."""
        since = self.machine.events.mark()
        self.os.lifecycle.power_off()
        self.await_off(since, self.budget(self.profile.budgets.shutdown_seconds))
        self.hang_up()

    # -- readiness ------------------------------------------------------------------------

    def await_ready(self, *, since: int | None) -> Answer:
        """Wait until the agent or the console's shell runs a command; returns which, and uses it.

        `since` is the console position after which a login prompt counts; None for a guest that
        was ready when it was saved or fell asleep, and prints none. Where the agent runs nothing
        some time after the prompt, the console's shell is used.
        """
        deadline = self.budget(self.profile.budgets.ready_seconds)
        grace: list[Deadline] = []

        def answering() -> Answer:
            if self.direct is not None and self.direct.answers(timeout=10.0):
                return Answer.DIRECT
            pings = self.agent.answers(timeout=2.0)
            if pings and self.agent.executes(timeout=self.budget(10).seconds):
                return Answer.AGENT
            # With exec blocked the system is up, whatever its console shows.
            blocked = pings and self._agent_blocks_exec()
            if not grace and (since is None or blocked or self._prompt_after(since)):
                known = blocked or self.answers_by is Answer.CONSOLE
                grace.append(self.budget(0 if known else 5))
            if grace and grace[0].passed:
                self._require_shell()
                return Answer.CONSOLE
            raise NotYet(self._last_line())

        with self.ledger.on_guest():
            self.answers_by = wait_until(
                answering,
                awaited=f"{self.name} to be ready (agent or shell answers)",
                deadline=deadline,
                interval=0.5,
                watches=[self.crash_watch, self._running],
                evidence=self.console_log,
            )
        return self.answers_by

    def _agent_blocks_exec(self) -> bool:
        """Whether the agent's own list blocks it; any other reason to refuse may be temporary."""
        try:
            commands = self.agent.commands(timeout=self.budget(5).seconds)
        except ChannelError:
            return False
        return not commands.blocked.isdisjoint(EXECUTION)

    def _require_shell(self) -> None:
        """Run a command on the console; raises NotYet where the login does not work yet.

        Raises ChannelError where the logged-in user cannot become the administrator.
        """
        self._shell = None
        try:
            result = self.shell().run(["true"], timeout=self.budget(10).seconds)
        except (LoginRefused, GuestTimeout, CommandTimeoutError) as error:
            raise NotYet(error.sentence) from error
        if result.exit_status != 0:
            raise ChannelError(
                f"{self.credentials.user} cannot run commands as the administrator of"
                f" {self.name} on its serial console: {result.error_text[-200:]!r}",
                remedy="let the user that cloud-init creates call sudo without a password",
                evidence=self.console_log,
            )

    def require_console(self, *, since: int) -> None:
        """Log in at a login prompt after console position `since`; raises NotYet without one."""
        if not self._prompt_after(since):
            raise NotYet(self._last_line())
        self._require_shell()

    def await_settled(self) -> None:
        """Wait until the ready guest has finished its start-up, then sync its disks."""

        def settled() -> None:
            try:
                awaited = self.os.lifecycle.settled()
            except CommandTimeoutError as error:  # an endless start-up is the guest's failure
                raise NotYet(error.sentence) from error
            if awaited:
                raise NotYet(awaited)

        seconds = self.profile.budgets.ready_seconds
        self.wait_for(settled, f"{self.name} to finish its start-up", seconds=seconds)
        self.os.disks.sync()

    def _running(self) -> None:
        state = self.machine.state()
        if state is not MachineState.RUNNING:
            raise GuestFailure(
                f"{self.name} is {state} while it should be running", evidence=self.console_log
            )

    def _prompt_after(self, since: int) -> bool:
        return re.search(LOGIN_PROMPT.encode(), self.console.since(since)) is not None

    def _last_line(self) -> str:
        text = self.console.since(max(0, self.console.position - 2000))
        lines = text.decode("utf-8", errors="replace").strip().splitlines()
        return f"{lines[-1][-160:]!r} on its console" if lines else "a silent console"

    # -- commands -------------------------------------------------------------------------

    def shell(self) -> ConsoleShell:
        """A logged-in shell on the serial console; it works without the guest agent."""
        if self._shell is None or not self._shell.logged_in:
            shell = ConsoleShell(self.console, watches=[self.crash_watch])
            with self.ledger.on_guest():
                shell.log_in(self.credentials.user, self.credentials.password, self.budget(20))
            self._shell = shell
        return self._shell

    @property
    def _serving(self) -> AgentChannel | DirectChannel | None:
        """The channel that needs no login on the console; None where the console itself is used."""
        channels = {Answer.AGENT: self.agent, Answer.DIRECT: self.direct}
        return channels.get(self.answers_by)

    def serves(self, *, timeout: float) -> bool:
        """Whether the agent or PowerShell Direct answers within `timeout` seconds."""
        return self._serving is not None and self._serving.answers(timeout=timeout)

    def log_out(self) -> None:
        """Log out of the console, if logged in, so that it shows its login prompt again."""
        if self._shell is not None:
            self._shell.log_out(self.budget(20))
            self._shell = None

    def run(
        self,
        arguments: Sequence[str],
        *,
        stdin: bytes = b"",
        environment: Mapping[str, str] | None = None,
        seconds: float = 30,
    ) -> CommandResult:
        """Run a program as administrator, for at most `seconds` (as measured on KVM)."""
        timeout = self.budget(seconds).seconds
        # No fallback: an agent that is temporarily silent is going down or coming up.
        channel: CommandChannel = self._serving or self.shell()
        with self.ledger.on_guest():
            try:
                return channel.run(arguments, stdin=stdin, environment=environment, timeout=timeout)
            except ChannelError:
                self.crash_watch()
                raise
