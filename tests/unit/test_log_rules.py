"""What the lines of a log and a console are taken for, and what each rule may cost."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import BadFileError, NotApplicable
from harness.guests.log_records import LogLine
from harness.guests.log_rules import ERROR, FaultKind, LogRules, Mark, load_rules
from harness.profiles.model import LogException, System
from tests.unit.pattern_cost import cost_of

LINUX, FREEBSD = LogRules.of(System.LINUX), LogRules.of(System.FREEBSD)


def log_of(text: str, level: int = 4) -> list[LogLine]:
    return [
        LogLine(level, f"[{number:5}.000000] {line}")
        for number, line in enumerate(text.splitlines())
    ]


def faults(text: str, level: int = 4, rules: LogRules = LINUX) -> list[str]:
    return [line.partition("] ")[2] for line in rules.faults(log_of(text, level))]


def excepting(pattern: str) -> LogRules:
    exception = LogException(pattern=pattern, reason="known", url="https://bugs.test/1")
    return LogRules.of(System.LINUX, [exception])


FAULTS = """\
rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:
rcu: INFO: rcu_sched self-detected stall on CPU
rcu: INFO: rcu_preempt detected expedited stalls on CPUs/tasks: { 0-... }
rcu: rcu_preempt kthread starved for 5000 jiffies!
mce: [Hardware Error]: Machine check events logged
EDAC MC0: 1 CE memory read error on CPU_SrcID#0
WARNING: CPU: 0 PID: 1 at kernel/smp.c:1 smp_call_function+0x1
WARNING: at kernel/smp.c:1 smp_call_function+0x1()
WARNING: kernel/smp.c:1 at smp_call_function+0x1/0x2, CPU#0: swapper/1
WARNING: possible circular locking dependency detected
WARNING: possible recursive locking detected
WARNING: inconsistent lock state
WARNING: suspicious RCU usage
INFO: possible circular locking dependency detected
UBSAN: shift-out-of-bounds in lib/vsprintf.c:1:2
BUG: KASAN: slab-out-of-bounds in kmalloc_oob_right+0xa8/0xbc
BUG: KFENCE: use-after-free read in test_use_after_free_read+0xb3/0x143
BUG: sleeping function called from invalid context at mm/slab.h:494
kmemleak: 3 new suspected memory leaks (see /sys/kernel/debug/kmemleak)
invalid opcode: 0000 [#1] PREEMPT SMP NOPTI
divide error: 0000 [#2] SMP
Unable to handle kernel NULL pointer dereference at virtual address 0000000000000000
Internal error: Oops: 0000000096000044 [#1] SMP
PANIC: early exception 0x0e IP 10:ffffffff8106a4d4 error 0 cr2 0xffffffffff200014
INFO: task kworker/0:1:12 blocked for more than 120 seconds.
INFO: task sync:812 blocked in I/O wait for more than 120 seconds.
watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [dd:412]
Watchdog detected hard LOCKUP on cpu 0
BUG: workqueue lockup - pool cpus=0 node=0 flags=0x0 nice=0 stuck for 31s!
Out of memory: Killed process 412 (dd) total-vm:1kB
dd invoked oom-killer: gfp_mask=0x100cca, order=0, oom_score_adj=0
python3[412]: segfault at 0 ip 00007f12 sp 00007ffd error 4 in libc.so.6
traps: python3[412] general protection fault ip:7f12 sp:7ffd error:0 in libc.so.6
traps: x[41] trap invalid opcode ip:4004f6 sp:7ffd error:0 in x[400000+1000]
irq 9: nobody cared (try booting with the "irqpoll" option)
Uhhuh. NMI received for unknown reason 30 on CPU 0.
DMAR: DRHD: handling fault status reg 2
NETDEV WATCHDOG: eth0 (e1000): transmit queue 0 timed out"""

DAMAGE = """\
blk_update_request: I/O error, dev vda, sector 2048 op 0x1:(WRITE) flags 0x0
Buffer I/O error on dev vda1, logical block 0, lost async page write
critical medium error, dev sda, sector 2048 op 0x0:(READ) flags 0x0
critical target error, dev sda, sector 2048 op 0x1:(WRITE) flags 0x0
nvme0n1: I/O Cmd(0x2) @ LBA 0, 8 blocks, I/O Error (sct 0x2 / sc 0x81)
nvme nvme0: I/O 12 QID 3 timeout, aborting
nvme nvme0: I/O tag 12 (100c) opcode 0x2 (I/O Cmd) QID 3 timeout, aborting req_op:READ(0)
nvme nvme0: controller is down; will reset: CSTS=0xffffffff
sd 0:0:0:0: [sda] tag#0 Sense Key : Medium Error [current]
sd 0:0:0:0: rejecting I/O to offline device
sd 0:0:0:0: Medium access timeout failure. Offlining disk!
ata1.00: exception Emask 0x0 SAct 0x0 SErr 0x0 action 0x6 frozen
ata1.00: failed command: READ DMA
EXT4-fs error (device vda1): ext4_find_entry:1455: inode #2: comm ls: reading directory lblock 0
EXT4-fs (vda1): warning: mounting fs with errors, running e2fsck is recommended
EXT4-fs warning: mounting fs with errors, running e2fsck is recommended
EXT3-fs warning: mounting fs with errors, running e2fsck is recommended
EXT4-fs (vda1): error count since last fsck: 3
EXT4-fs (vda1): Remounting filesystem read-only
Aborting journal on device vda1-8.
JBD2: Detected IO errors while flushing file data on vda1-8
XFS (vda1): Metadata corruption detected at xfs_agf_read_verify+0x70/0x120, xfs_agf block 0x1
XFS (vda1): Metadata CRC error detected at xfs_agi_read_verify
XFS (vda1): Internal error XFS_WANT_CORRUPTED_GOTO at line 123 of file fs/xfs/libxfs/xfs_alloc.c
XFS (vda1): log I/O error -5
XFS (vda1): Filesystem has been shut down due to log error (0x2).
BTRFS error (device vda3): bdev /dev/vda3 errs: wr 0, rd 0, flush 0, corrupt 1, gen 0
BTRFS info (device vda3): bdev /dev/vda3 errs: wr 0, rd 0, flush 0, corrupt 1, gen 0
BTRFS warning (device vda3): csum failed root 5 ino 257 off 0 csum 0x1 expected csum 0x2 mirror 1
BTRFS critical (device vda3): corrupt leaf: root=5 block=1 slot=1, bad key order
BTRFS: error (device vda3) in btrfs_commit_transaction:2323: errno=-5 IO failure
FAT-fs (vda15): error, fat_get_cluster: invalid cluster chain (i_pos 0)
SQUASHFS error: Unable to read inode 0x1
md/raid1:md0: Disk failure on vdb, disabling device."""

SOUND = """\
Command line: BOOT_IMAGE=/vmlinuz root=/dev/vda1 console=ttyS0 hung_task_panic=1
Kernel command line: BOOT_IMAGE=/vmlinuz softlockup_panic=1 dyndbg="BUG: +p" panic=1
Unknown kernel command line parameters "hung_task_panic=1 I/O error", will be passed to user space.
systemd-sysctl[1]: kernel.hung_task_timeout_secs = 120
rcu: Hierarchical RCU implementation.
mce: CPU supports 10 MCE banks
HEST: Table parsing has been initialized.
ramoops: using module parameters
perf: interrupt took too long (2503 > 2500), lowering kernel.perf_event_max_sample_rate to 79750
NMI watchdog: Enabled. Permanently consumes one hw-PMU counter.
Spectre V2 : WARNING: Unprivileged eBPF is enabled with eIBRS on, data leaks possible
EXT4-fs (vda1): mounted filesystem with ordered data mode. Quota mode: none.
XFS (vda1): Ending clean mount
BTRFS info (device vda3): using free-space-tree
RAS: Correctable Errors collector initialized.
ata2: SATA link down (SStatus 0 SControl 300)
closes: 10234 [#88]
nvme nvme0: 2/0/0 default/read/poll queues
blk_update_request: I/O error, dev fd0, sector 0 op 0x0:(READ) flags 0x0 phys_seg 1 prio class 0
I/O error, dev fd0, sector 0 op 0x0:(READ) flags 0x0 phys_seg 1 prio class 2
print_req_error: I/O error, dev fd0, sector 0
end_request: I/O error, dev fd0, sector 0
Buffer I/O error on dev fd0, logical block 0, async page read
Buffer I/O error on device fd0, logical block 0
critical target error, dev sda, sector 0 op 0x9:(WRITE_ZEROES) flags 0x800 phys_seg 0"""


@pytest.mark.parametrize("line", (FAULTS + "\n" + DAMAGE).splitlines())
def test_a_fault_is_recognized_at_any_level(line: str) -> None:
    assert faults(line, level=6) == [line]


@pytest.mark.parametrize("line", DAMAGE.splitlines())
def test_damage_of_disks_and_file_systems_is_a_fault_of_its_own_kind(line: str) -> None:
    assert len(LINUX.found(FaultKind.DAMAGE, log_of(line))) == 1
    assert LINUX.found(FaultKind.LOCKUP, log_of(line)) == []


@pytest.mark.parametrize("line", SOUND.splitlines())
def test_what_a_sound_kernel_logs_is_not_a_fault(line: str) -> None:
    assert faults(line) == []


@pytest.mark.parametrize(
    "line",
    [
        "Warning: Unmaintained driver is detected: e1000",
        "Warning: Deprecated Hardware is detected: x86_64-v2:GenuineIntel:Intel Xeon will not be "
        "maintained in a future major release and may be disabled",
        "Warning: Deprecated Driver is detected: nft_compat will not be maintained",
        "Warning: Intel CPU model - this hardware has not undergone upstream testing. Please "
        "consult http://wiki.centos.org/FAQ for more information",
        "Warning: mptspi - this driver is not recommended for new deployments.",
    ],
)
def test_a_vendor_s_notice_at_a_critical_level_is_no_fault_but_what_else_it_is_counts(
    line: str,
) -> None:
    assert faults(line, level=2) == []
    # The control: the level alone makes a fault of anything else.
    assert faults("a notice of another kind", level=2) == ["a notice of another kind"]
    assert faults(f"{line} BUG: x", level=2) == [f"{line} BUG: x"]


def test_the_least_severe_level_that_counts_can_be_named() -> None:
    line = log_of("something went wrong", level=3)
    assert LINUX.faults(line) == []
    assert len(LINUX.faults(line, level=ERROR)) == 1


def test_an_empty_floppy_drive_is_harmless_and_the_disk_s_error_beside_it_is_not() -> None:
    text = "I/O error, dev fd0, sector 0\nI/O error, dev vda, sector 0"
    assert faults(text, level=3) == ["I/O error, dev vda, sector 0"]


SPLAT = """\
------------[ cut here ]------------
sched: CPU #1's llc-sibling CPU #0 is not on the same node! [node: 1 != 0]. Ignoring dependency.
WARNING: CPU: 1 PID: 0 at arch/x86/kernel/smpboot.c:424 topology_sane.isra.3+0x69/0x80
Modules linked in:
CPU: 1 PID: 0 Comm: swapper/1 Not tainted 5.4.0 #1
Hardware name: Microsoft Corporation Virtual Machine/Virtual Machine, BIOS 090008  12/07/2018
RIP: 0010:topology_sane.isra.3+0x69/0x80
Code: 00 00 48 c7 c7
Call Trace:
 set_cpu_sibling_map+0x14f/0x5a0
 start_secondary+0x6f/0x1a0
---[ end trace 8c7b0a7b2d6c5a90 ]---"""

OTHER_SPLAT = SPLAT.replace("topology_sane", "native_smp").replace("sched: CPU #1", "x86: CPU #1")

ARM64 = """\
WARNING: possible circular locking dependency detected
6.1.0 #1 Not tainted
Call trace:
 dump_backtrace+0x0/0x1a0
 show_stack+0x18/0x30"""

OOPS = """\
BUG: unable to handle page fault for address: ffffffffffffffd8
#PF: supervisor read access in kernel mode
#PF: error_code(0x0000) - not-present page
PGD 2615067 P4D 2615067 PUD 2617067 PMD 0
Oops: 0000 [#1] PREEMPT SMP NOPTI
CPU: 0 PID: 412 Comm: insmod Not tainted 6.1.0 #1
RIP: 0010:init_module+0x5/0x10 [bad]
Call Trace:
 <TASK>
 do_one_initcall+0x56/0x230
 </TASK>
---[ end trace 0000000000000000 ]---"""

KASAN = """\
==================================================================
BUG: KASAN: slab-out-of-bounds in kmalloc_oob_right+0xa8/0xbc [test_kasan]
Write of size 1 at addr ffff8801f44ec37b by task insmod/2760

CPU: 1 PID: 2760 Comm: insmod Not tainted 4.19.0-rc3+ #698
Call Trace:
 dump_stack+0x94/0xd8
 print_address_description+0x73/0x280
Allocated by task 2760:
 kasan_kmalloc+0xa0/0xd0
The buggy address belongs to the object at ffff8801f44ec300
 which belongs to the cache kmalloc-128 of size 128
Memory state around the buggy address:
>ffff8801f44ec300: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 03
=================================================================="""

LOCKDEP = """\
======================================================
WARNING: possible circular locking dependency detected
6.1.0 #1 Not tainted
------------------------------------------------------
swapper/0/1 is trying to acquire lock:
ffff0000 (&a){+.+.}-{3:3}, at: one+0x10/0x20

but task is already holding lock:
ffff0001 (&b){+.+.}-{3:3}, at: two+0x10/0x20
stack backtrace:
CPU: 0 PID: 1 Comm: swapper/0 Not tainted 6.1.0 #1
Call trace:
 dump_backtrace+0x0/0x1a0"""

UBSAN = """\
================================================================================
UBSAN: Undefined behaviour in ../lib/vsprintf.c:1:2
shift exponent 32 is too large for 32-bit type 'int'
CPU: 0 PID: 1 Comm: swapper/0 Not tainted 4.19.0 #1
Call Trace:
 dump_stack+0x94/0xd8
================================================================================"""

HUNG = """\
INFO: task sync:812 blocked for more than 120 seconds.
      Not tainted 6.1.0 #1
"echo 0 > /proc/sys/kernel/hung_task_timeout_secs" disables this message.
task:sync            state:D stack:    0 pid:  812 ppid:     1 flags:0x00000002
Call Trace:
 <TASK>
 __schedule+0x2db/0x8c0"""

NEW_FORM = """\
------------[ cut here ]------------
WARNING: kernel/smp.c:1 at smp_call_function+0x1/0x2, CPU#0: swapper/1
CPU: 0 UID: 0 PID: 1 Comm: swapper Not tainted 6.18.0 #1
Call Trace:
 <TASK>
 start_secondary+0x6f/0x1a0
 </TASK>
---[ end trace 0000000000000000 ]---"""

REPORTS = [SPLAT, ARM64, OOPS, KASAN, LOCKDEP, UBSAN, HUNG, NEW_FORM]


@pytest.mark.parametrize("report", REPORTS)
def test_a_report_is_one_record_and_an_exception_for_any_line_hides_it_all(report: str) -> None:
    assert len(faults(report)) == 1
    for line in report.splitlines():
        if len(line.strip()) > 20:
            assert faults(report, rules=excepting(re.escape(line))) == [], line


@pytest.mark.parametrize("report", REPORTS)
@pytest.mark.parametrize("between", ["", "e1000: eth0 NIC Link is Up"])
def test_an_exception_hides_no_other_record(report: str, between: str) -> None:
    rules = excepting("topology_sane")
    for text in (f"{SPLAT}\n{between}\n{report}", f"{report}\n{between}\n{SPLAT}"):
        expected = 0 if report is SPLAT else 1
        assert len(faults(text.replace("\n\n", "\n"), rules=rules)) == expected


def test_of_two_splats_only_the_named_one_is_hidden() -> None:
    text = f"{SPLAT}\n{OTHER_SPLAT}"
    assert len(faults(text)) == 2
    (left,) = faults(text, rules=excepting("WARNING: .* topology_sane"))
    assert left.startswith("WARNING: CPU: 1 PID: 0") or "native_smp" in left


@pytest.mark.parametrize("line", [*DAMAGE.splitlines(), "Kernel panic - not syncing: x"])
def test_a_fault_of_something_else_amid_an_excepted_splat_is_not_hidden(line: str) -> None:
    lines = SPLAT.splitlines()
    for place in range(9, len(lines)):
        text = "\n".join([*lines[:place], line, *lines[place:]])
        assert faults(text, rules=excepting("topology_sane")) == [line]


def test_damage_in_a_splat_s_head_is_not_hidden() -> None:
    lines = SPLAT.splitlines()
    text = "\n".join([*lines[:1], "EXT4-fs error (device vda1): x", *lines[1:]])
    assert faults(text, rules=excepting("topology_sane")) == ["EXT4-fs error (device vda1): x"]


def test_a_critical_line_amid_an_excepted_splat_is_not_hidden() -> None:
    log = log_of(SPLAT)
    log.insert(10, LogLine(0, "[   10.5] the end is near"))
    assert excepting("topology_sane").faults(log) == ["[   10.5] the end is near"]


def test_a_report_without_an_end_hides_nothing_after_it() -> None:
    start = "\n".join(SPLAT.splitlines()[:-1])
    rest = "\n".join(f"line {number} of something" for number in range(400))
    text = f"{start}\n{rest}\nBUG: another\nBUG: and another"
    assert faults(text, rules=excepting("topology_sane")) == ["BUG: another", "BUG: and another"]


def test_a_line_of_equals_signs_is_not_a_report() -> None:
    ordinary = "\n".join(["=" * 30, *["ordinary"] * 6])
    text = f"{ordinary}\nBUG: one\nBUG: two"
    assert faults(text, rules=excepting("BUG: one")) == ["BUG: two"]


def test_two_faults_in_a_row_are_two_records() -> None:
    text = "BTRFS error (device vda3): one\nBTRFS error (device vda3): two"
    assert faults(text, rules=excepting("vda3.*one")) == ["BTRFS error (device vda3): two"]


@pytest.mark.parametrize("stamp", ["", "[    1.000000] ", "[    1.000000][    T1] "])
def test_the_time_before_a_line_may_be_there_or_not(stamp: str) -> None:
    text = "\n".join(stamp + line for line in SPLAT.splitlines())
    log = [LogLine(4, line) for line in text.splitlines()]
    assert len(LINUX.faults(log)) == 1
    assert excepting("topology_sane").faults(log) == []
    assert LINUX.faults([LogLine(4, f"{stamp}Command line: BUG:")]) == []


@pytest.mark.parametrize(
    ("mark", "line"),
    [
        (Mark.BOOT, "Linux version 6.1.0-18-amd64 (debian-kernel@lists.debian.org)"),
        (Mark.MOUNTED, "EXT4-fs (vda1): mounted filesystem with ordered data mode"),
        (Mark.MOUNTED, "XFS (vda1): Ending clean mount"),
        (Mark.MOUNTED, "XFS (vda1): Ending recovery (logdev: internal)"),
        (Mark.MOUNTED, "BTRFS info (device vda3): first mount of filesystem 0b1c"),
        (Mark.MOUNTED, "BTRFS info (device vda3): disk space caching is enabled"),
        (Mark.REPAIRED, "EXT4-fs (vda1): recovery complete"),
        (Mark.REPAIRED, "EXT4-fs (vda1): 3 orphan inodes deleted"),
        (Mark.REPAIRED, "EXT4-fs (vda1): orphan cleanup on readonly fs"),
        (Mark.REPAIRED, "XFS (vda1): Starting recovery (logdev: internal)"),
        (Mark.REPAIRED, "BTRFS info (device vda3): start tree-log replay"),
        (Mark.SLEPT, "PM: suspend exit"),
    ],
)
def test_marks_are_found(mark: Mark, line: str) -> None:
    assert LINUX.shows(mark, log_of(line))
    assert not LINUX.shows(mark, log_of("EXT4-fs (vda1): re-mounted. Opts: errors=remount-ro"))


def test_a_mark_that_a_system_does_not_log_is_not_applicable() -> None:
    with pytest.raises(NotApplicable, match="slept"):
        FREEBSD.shows(Mark.SLEPT, [])


def test_each_system_has_its_own_rules() -> None:
    line = "panic: vm_fault_lookup: fault on nofault entry, addr: 0xfffffe0000000000"
    assert faults(line, rules=FREEBSD) == [line]
    assert faults(line) == []
    damage = "g_vfs_done():ada0p2[READ(offset=65536, length=32768)]error = 5"
    assert len(FREEBSD.found(FaultKind.DAMAGE, log_of(damage))) == 1
    assert FREEBSD.shows(Mark.MOUNTED, log_of("Trying to mount root from ufs:/dev/vtbd0p2 [rw]..."))


def _with(tmp_path: Path, linux: str) -> Path:
    file = tmp_path / "rules.yaml"
    file.write_text(f"firmware: {{}}\nfreebsd: {{}}\nwindows: {{}}\nlinux: {linux}\n")
    return file


@pytest.mark.parametrize(
    ("linux", "problem"),
    [
        ("{rules: [{name: a, pattern: '('}]}", "not a regular expression"),
        ("{marks: {boot: '['}}", "not a regular expression"),
        ("{records: {trace: ['*']}}", "not a regular expression"),
        (
            "{benign: [{name: a, pattern: a, covers: [b], reason: r, source: s}]}",
            "covers a rule that does not exist",
        ),
        ("{rules: [{name: a, pattern: a, kind: good}]}", "kind"),
    ],
)
def test_a_bad_file_of_rules_is_refused(tmp_path: Path, linux: str, problem: str) -> None:
    with pytest.raises(BadFileError, match=problem):
        load_rules(_with(tmp_path, linux))


# -- cost ---------------------------------------------------------------------------------


def patterns() -> Iterator[tuple[str, str]]:
    """Every pattern that runs over a guest's text, by a name."""
    for system in System:
        rules = load_rules().of(system)
        for each in (*rules.deaths, *rules.rules, *rules.benign):
            yield f"{system}-{type(each).__name__}-{each.name}", each.pattern
        for mark, pattern in rules.marks.items():
            yield f"{system}-{mark}", pattern
        for number, pattern in enumerate(rules.records.patterns()):
            yield f"{system}-record-{number}", pattern


MOST_STEPS = 5000
"""For each character of a line: a bound that no text of a guest can exceed."""


@pytest.mark.parametrize("pattern", [pytest.param(p, id=name) for name, p in patterns()])
def test_the_cost_of_a_rule_is_bounded_for_whatever_text(pattern: str) -> None:
    assert cost_of(pattern) <= MOST_STEPS


@pytest.mark.parametrize(
    "pattern",
    [
        r"XFS.*[Cc]orruption",
        r"(a{0,50}){0,50}b",
        r"\d+",
        r"x{0,100}y{0,100}z",
        r"(?:a|b)*",
        r"[^\n]+?",
    ],
)
def test_the_measure_of_cost_refuses_what_is_quadratic_or_worse(pattern: str) -> None:
    assert cost_of(pattern) > MOST_STEPS


@settings(max_examples=20, deadline=None)
@given(
    texts=st.lists(
        st.sampled_from(
            [" ", "\t", "XFS ", "EXT4-fs (", "BTRFS ", "rcu ", "[#", "0000 ", ": ", "=", "-", "x"]
        ),
        max_size=5,
    ),
    times=st.integers(0, 3000),
)
def test_no_text_stops_the_rules(texts: list[str], times: int) -> None:
    line = "".join(texts) * times
    for rules in (LINUX, FREEBSD):
        assert len(rules.faults([LogLine(6, line[:4096])])) <= 1
