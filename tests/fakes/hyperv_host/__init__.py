"""A Hyper-V host for tests: a model of its state, behind the scripted PowerShell remoting.

It knows the project's own scripts by their text and does to the model what they would do to a
host, with the errors that Hyper-V is documented to give. No PowerShell is executed, and no guest:
what a guest would do, a test says through `MachineModel.guest`. `Get-HostState` tells that no
hypervisor runs, so that the driver does not claim that its machines execute code.

    with hyperv_host(tmp_path) as (model, server, uri):
        ...
"""
