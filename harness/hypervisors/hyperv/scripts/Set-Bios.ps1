# Set the boot order of a generation 1 machine, by kinds of devices.
param(
    [Parameter(Mandatory = $true)] [string] $Name,
    [Parameter(Mandatory = $true)] [ValidateSet('Floppy', 'CD', 'IDE', 'LegacyNetworkAdapter')] [string[]] $Order
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ConfirmPreference = 'None'

Set-VMBios -VMName $Name -StartupOrder $Order

@{ version = 1 } | ConvertTo-Json -Compress
