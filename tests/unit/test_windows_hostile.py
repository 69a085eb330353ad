"""A Windows guest that answers what it should not, and values that would break out."""

from __future__ import annotations

import base64

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from harness.errors import ChannelError, HarnessError, NotApplicable
from harness.guests.windows.powershell import ANSWER_LIMIT
from harness.workloads.program import program
from tests.unit.windows_operations import ACTS, FACTS, Ask, asking, saying

ASKED: dict[str, Ask] = {name: ask for name, (ask, _) in (FACTS | ACTS).items()}
ASKED["log.lines"] = lambda os: os.log.lines()

HOSTILE = "'; Remove-Item C:\\ -Recurse; \"$(calc)\" `n @' \u2019 日本語 🦉 \r\n & exit\0"


@pytest.mark.parametrize(
    "ask",
    [
        lambda os: os.files.write(HOSTILE, HOSTILE),
        lambda os: os.files.content(HOSTILE),
        lambda os: os.network.resolve(HOSTILE),
        lambda os: os.background.runs(HOSTILE),
        lambda os: os.disks.fill_file(HOSTILE),
        lambda os: os.files.write_marker(HOSTILE),
        lambda os: os.background.start(program("counting"), HOSTILE, [HOSTILE]),
        lambda os: os.background.output(HOSTILE, limit=9),
        lambda os: os.devices.unload_driver(HOSTILE),
        lambda os: os.firmware.variable(HOSTILE, HOSTILE),
        lambda os: os.disks.holds(HOSTILE, start=0, mebibytes=1),
    ],
)
def test_no_value_reaches_a_script_s_text(ask: Ask) -> None:
    os, run = asking(reply=b'{"answer": null}', exit_status=0)
    try:
        ask(os)
    except ChannelError as error:
        assert "null" in str(error) or "None" in str(error)
    # The fake knows a script by all of its command line: one with a value in it is none.
    assert run.programs == []
    ((_, *values),) = run.asked
    assert any(HOSTILE in value for value in values)


def test_a_boot_argument_is_plain() -> None:
    with pytest.raises(HarnessError, match="not a plain kernel argument"):
        asking()[0].firmware.add_boot_argument(HOSTILE)


UNSOUND = {
    "nothing": b"",
    "text": b"The term is not recognized",
    "cut": b'{"answer": [',
    "nested": b'{"answer": ' + b"[" * 100_000,
    "bytes": b'{"answer": "\xff\xfe"}',
    "list": b"[]",
    "no answer": b"{}",
    "no number": b'{"answer": NaN}',
    "long number": b'{"answer": ' + b"9" * 5000 + b"}",
    "huge": b'{"answer": "' + b"x" * ANSWER_LIMIT + b'"}',
    "failed": b'{"error": "' + b"e" * 10_000 + b'", "lacks": null}',
}


@pytest.mark.parametrize("reply", UNSOUND.values(), ids=UNSOUND)
def test_an_unsound_answer_is_a_channel_error(reply: bytes) -> None:
    for ask in ASKED.values():
        with pytest.raises(ChannelError) as failure:
            ask(saying(reply))
        assert len(str(failure.value)) < 1000


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@settings(max_examples=30, deadline=None)
@given(answer=json_values)
@example(answer=[5])
@example(answer=[{"Index": True}])
@example(answer={"x": 1})
@example(answer=-1)
@example(answer=2**64)
def test_whatever_is_answered_nothing_else_is_raised_or_believed(answer: object) -> None:
    os = saying({"answer": answer})
    for name, (ask, expected) in FACTS.items():
        try:
            got = ask(os)
        except (ChannelError, NotApplicable):
            continue
        assert isinstance(got, type(expected)), f"{name}: {got!r}"


def test_an_error_is_told_with_what_powershell_said() -> None:
    with pytest.raises(ChannelError, match=r"boot_id\.ps1 failed in the guest: Access is denied"):
        saying({"error": "Access is denied.", "lacks": None}).lifecycle.boot_id()
    with pytest.raises(ChannelError, match="failed in the guest"):
        saying({"answer": "an id"}, exit_status=1).lifecycle.boot_id()
    with pytest.raises(ChannelError, match="reports no boot id"):
        saying({"answer": " "}).lifecycle.boot_id()


@pytest.mark.parametrize("mask", ["0x3", "", "f" * 17])
def test_a_mask_of_another_form_is_an_error(mask: str) -> None:
    group = {"Relationship": 0, "Mask": mask, "Number": 0}
    with pytest.raises(ChannelError, match="is not a mask"):
        saying({"answer": {"groups": [group], "srat": ""}}).cpus.topology()


@pytest.mark.parametrize("tail", [b"\1\0", b"\1\x28" + bytes(5), b"\0\1"])
def test_a_table_of_memory_that_is_cut_is_an_error(tail: bytes) -> None:
    table = base64.b64encode(b"SRAT" + bytes(44) + tail).decode()
    nodes = [{"Relationship": 1, "Mask": "0" * 15 + "1", "Number": 0}]
    answer = {"answer": {"groups": nodes, "srat": table}}
    with pytest.raises(ChannelError, match="is truncated"):
        saying(answer).cpus.numa_nodes()


def test_addresses_that_are_none_are_an_error() -> None:
    setting = {"Index": 1, "IPAddress": ["10.0.0.1"], "IPSubnet": ["elephants"]}
    setting |= {"MACAddress": "", "NetConnectionID": "", "ServiceName": ""}
    with pytest.raises(ChannelError, match="addresses are invalid"):
        saying({"answer": [setting]}).network.nics()
    setting |= {"IPSubnet": []}
    with pytest.raises(ChannelError, match="addresses are invalid"):
        saying({"answer": [setting]}).network.nics()
