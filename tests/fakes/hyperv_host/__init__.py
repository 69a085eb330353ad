"""A Hyper-V host for tests: a model of its state, behind the scripted PowerShell remoting.

It recognizes the project's scripts by their text and changes the model as they would change a host,
with Hyper-V's documented errors. It executes no PowerShell and no guest: tests set a guest's
behaviour through `MachineModel.guest`. `Get-HostState` reports that no hypervisor runs, so that the
driver does not claim that its machines execute code.

    with hyperv_host(tmp_path) as (model, server, uri):
        ...
"""
