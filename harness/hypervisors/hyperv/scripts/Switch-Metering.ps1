# Start, reset or stop the metering of a machine.
param(
    [Parameter(Mandatory = $true)] [string] $Name,
    [Parameter(Mandatory = $true)] [ValidateSet('Enable', 'Reset', 'Disable')] [string] $Change
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ConfirmPreference = 'None'

$vm = Get-VM -Name $Name
if ($Change -eq 'Reset' -and -not $vm.ResourceMeteringEnabled) {
    throw 'resource metering is not enabled for the machine'
}
switch ($Change) {
    'Enable' { Enable-VMResourceMetering -VM $vm }
    'Reset' { Reset-VMResourceMetering -VM $vm }
    'Disable' { Disable-VMResourceMetering -VM $vm }
}

@{ version = 1 } | ConvertTo-Json -Compress
