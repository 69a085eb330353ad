# Power on; `Paused` stops the processors at once: Hyper-V can not start a machine stopped.
param(
    [Parameter(Mandatory = $true)] [string] $Name,
    [Parameter(Mandatory = $true)] [bool] $Paused
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ConfirmPreference = 'None'

$vm = Get-VM -Name $Name
if ($vm.State -ne 'Off' -and $vm.State -ne 'Saved') {
    throw "the machine is $($vm.State), and not off"
}
Start-VM -VM $vm
if ($Paused) {
    Suspend-VM -VM $vm
}

@{ version = 1 } | ConvertTo-Json -Compress
