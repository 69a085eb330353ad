# Power on; `Paused` stops the processors right after: Hyper-V cannot start a machine paused.
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
