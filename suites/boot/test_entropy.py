"""boot.entropy: randomness from the host, without waiting."""

import re

from harness.guests.guest import Guest
from harness.hypervisors.capabilities import QEMU_DEVICES
from harness.plugin.markers import cost, feature, only_on, read_only, requires
from harness.plugin.worker import Metrics
from harness.profiles.model import System

NOT_REPORTED = "no other system reports the source of its randomness, and when it is seeded"

READY_WITHIN = 3.0
"""Seconds (with KVM) after the kernel's start within which its generator is seeded."""

SEEDED = re.compile(
    r"\[ {0,12}(\d{1,9}\.\d{1,9})\] random: (?:crng (?:init )?done|nonblocking pool is initialized)"
)
"""Linux's messages: the second before 4.8, the first also with the processor's trusted (5.x)."""


@feature("boot.entropy")
@only_on(System.LINUX, because=NOT_REPORTED)
@requires(QEMU_DEVICES)
@read_only
def test_the_host_s_random_device_is_used(guest: Guest) -> None:
    """The machine's random device is the kernel's source, and returns bytes that differ."""
    assert guest.linux.random_source().startswith("virtio")  # `virtio_rng.0` since 3.17

    taken = [guest.linux.random_from_device(32) for _ in range(2)]

    assert [len(block) for block in taken] == [32, 32]
    assert taken[0] != taken[1]
    assert len(set(taken[0])) > 1, "the device returns the same byte repeatedly"


@feature("boot.entropy")
@only_on(System.LINUX, because=NOT_REPORTED)
@cost(60)
def test_random_bytes_are_there_at_boot(machine: Guest, metric: Metrics) -> None:
    """The kernel's generator is seeded soon after its start, and is read without delay."""
    machine.boot()
    machine.linux.require_kernel((3, 17), "feeds its generator from the host's device by itself")

    seeded = [
        float(found.group(1))
        for line in machine.os.log.lines()
        if (found := SEEDED.search(line.text))
    ]
    assert seeded, "the kernel never reported that its generator is seeded"
    metric("random generator seeded", seeded[0], "s")
    assert seeded[0] <= machine.budget(READY_WITHIN).seconds
    assert machine.linux.random_at_once(64) == 64
