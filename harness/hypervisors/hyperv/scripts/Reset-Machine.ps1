# Press the reset button of a running machine.
param(
    [Parameter(Mandatory = $true)] [string] $Name
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ConfirmPreference = 'None'

$vm = Get-VM -Name $Name
if ($vm.State -ne 'Running') {
    throw "the machine is $($vm.State), and not running"
}
Restart-VM -VM $vm -Force

@{ version = 1 } | ConvertTo-Json -Compress
