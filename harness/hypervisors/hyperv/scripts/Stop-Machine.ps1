# Pull the plug; no error where the machine is off, or gone. Critical is one that lost its disks.
param(
    [Parameter(Mandatory = $true)] [string] $Name
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ConfirmPreference = 'None'

Get-VM | Where-Object { $_.Name -eq $Name -and $_.State -notin 'Off', 'Saved', 'OffCritical', 'SavedCritical' } |
    Stop-VM -TurnOff -Force

@{ version = 1 } | ConvertTo-Json -Compress
