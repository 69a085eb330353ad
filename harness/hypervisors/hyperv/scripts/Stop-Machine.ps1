# Cut the power (idempotent, also where the machine is gone). Critical: it lost its disks.
param(
    [Parameter(Mandatory = $true)] [string] $Name
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ConfirmPreference = 'None'

Get-VM | Where-Object { $_.Name -eq $Name -and $_.State -notin 'Off', 'Saved', 'OffCritical', 'SavedCritical' } |
    Stop-VM -TurnOff -Force

@{ version = 1 } | ConvertTo-Json -Compress
