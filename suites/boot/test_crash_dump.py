"""boot.crash_dump: a kernel that dies leaves a dump of its memory, and the guest comes back."""

import secrets

from harness.errors import ChannelError, NotApplicable
from harness.guests.guest import Guest
from harness.hypervisors.facets.agent import AGENT
from harness.oracles.control import control
from harness.oracles.crash_dump import CrashDumps
from harness.plugin.markers import cost, feature, only_on, requires
from harness.plugin.worker import Metrics
from harness.profiles.model import System
from harness.waiting import NotYet

RESERVED = "crashkernel=256M"
MEMORY_MIB = 1536
"""Enough for the guest besides the crash kernel's reserve."""

BACK_WITHIN = 120
"""Seconds (with KVM) for a second kernel to start, to write the dump, and for a reboot."""


@feature("boot.crash_dump")
@only_on(System.LINUX, because="it tests Linux's crash kernel and its dumps")
@requires(AGENT)
@cost(330)
def test_a_crash_leaves_a_whole_dump_and_the_guest_comes_back(
    machine: Guest, metric: Metrics
) -> None:
    """After a panic the guest is back by itself, with a dump that holds its last message."""
    machine.redefine(memory_mib=max(MEMORY_MIB, machine.definition.memory_mib))
    dumps = CrashDumps(machine)
    machine.boot()
    service = dumps.service()
    if service is None:
        raise NotApplicable(f"{machine.profile.id}'s image has no service that takes crash dumps")
    assert dumps.enable(service)
    machine.os.firmware.add_boot_argument(RESERVED)
    machine.shut_down()
    machine.boot()
    machine.await_settled()
    with control():
        assert machine.os.firmware.has_boot_argument(RESERVED), (
            f"the kernel was not started with {RESERVED}"
        )
    assert dumps.armed(), f"{service} has loaded no crash kernel"
    before = dumps.dumps()
    boot_id = machine.os.lifecycle.boot_id()
    word = secrets.token_hex(8)
    machine.crash_expected = True
    deadline = machine.budget(BACK_WITHIN)

    machine.linux.leave_last_words(f"guestcert crash {word}")
    machine.os.lifecycle.crash(after=1)
    machine.wait_for(
        lambda: machine.crash_watch.found() is not None, f"{machine.name} to crash", seconds=10
    )
    machine.crash_watch.follow(machine.console)  # the crash is noticed; now watch what follows
    machine.crash_expected = False

    def back() -> None:
        if not machine.agent.answers(timeout=2.0):
            raise NotYet("no answer from the agent")
        try:
            if machine.os.lifecycle.boot_id() == boot_id:
                raise NotYet("still the old boot id")
            if dumps.dumping():
                raise NotYet("the crash kernel")
        except ChannelError as error:
            raise NotYet(error.sentence) from error

    awaited = f"{machine.name} to be back from its crash"
    machine.wait_for(back, awaited, seconds=BACK_WITHIN, interval=0.5)
    metric("crash to ready", deadline.elapsed, "s")
    left = dumps.dumps() - before
    assert len(left) == 1, f"the crash left {len(left)} dumps"
    assert f"guestcert crash {word}" in dumps.kernel_log_in(left.pop()), "the dump is incomplete"
