# Set a switch's notes, which name its owner (no error where the switch is gone).
param(
    [Parameter(Mandatory = $true)] [string] $Name,
    [Parameter(Mandatory = $true)] [string] $Notes
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ConfirmPreference = 'None'

Get-VMSwitch | Where-Object { $_.Name -eq $Name } | Set-VMSwitch -Notes $Notes

@{ version = 1 } | ConvertTo-Json -Compress
