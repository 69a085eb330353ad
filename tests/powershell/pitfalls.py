"""Pitfalls: syntax that Windows PowerShell 4 and 5.1 accept and treat unexpectedly."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.powershell.syntax import Script

SINCE_2016 = {
    "set-vm": {"checkpointtype", "automaticcheckpointsenabled"},
    "set-vmprocessor": {"hwthreadcountpercore"},
}
"""Parameters that Windows Server 2012 R2 lacks, whose documentation is not at hand.

Those of Secure Boot's templates, of virtual TPMs and of PowerShell Direct are left out: what uses
them is not asked of such a host.
"""


def pitfalls(script: Script) -> list[str]:
    """Every one in a script."""
    return [*_calls(script), *_texts(script), *_wholes(script)]


def _calls(script: Script) -> Iterator[str]:
    text = script.source.decode()
    for call in script.calls:
        name = call.name.lower()
        if name == "get-content":
            # They are the file's path, drive and provider.
            yield f"{call}: its text has properties, which ConvertTo-Json writes instead of it"
        for parameter in call.parameters:
            asked = re.search(rf"ContainsKey\('{parameter}'\)", text, re.IGNORECASE)
            if parameter.lower() in SINCE_2016.get(name, ()) and not asked:
                yield f"{call}: hosts before 2016 have no -{parameter}"


def _texts(script: Script) -> Iterator[str]:
    for number, line in enumerate(script.source.decode().splitlines(), start=1):
        if re.search(r"\.(Starts|Ends)With\([^,()]*\)", line):
            yield f"line {number}: text is compared by the rules of the host's language"
        if re.search(r"&&|\|\|", line):
            yield f"line {number}: Windows PowerShell chains no pipelines"
        if re.search(r"\.ZoneFile\b", line) and ".ZoneType " not in line:
            yield f"line {number}: zones that are not kept in files have no ZoneFile"


def _wholes(script: Script) -> Iterator[str]:
    text, called = script.source.decode(), {call.name.lower() for call in script.calls}
    begins_job = "Msvm_VirtualSystemManagementService" in text and "4096" in text
    if begins_job and "$job.Get()" not in text:
        yield "a job that the management service began is not waited for"
    if "stop-vm" in called and "'OffCritical'" not in text:
        yield "a machine that is off without its disks can't be stopped"
    exports = "export-vm" in called  # a copy, which no machine holds
    if re.search("Remove-Item .*-Recurse", text) and not exports and "catch" not in text:
        yield "Hyper-V may hold the files of a removed machine yet"
