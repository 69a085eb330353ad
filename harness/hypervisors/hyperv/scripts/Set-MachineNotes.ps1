# Set a machine's notes, which name its owner (no error where the machine is gone).
param(
    [Parameter(Mandatory = $true)] [string] $Name,
    [Parameter(Mandatory = $true)] [string] $Notes
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ConfirmPreference = 'None'

Get-VM | Where-Object { $_.Name -eq $Name } | Set-VM -Notes $Notes

@{ version = 1 } | ConvertTo-Json -Compress
