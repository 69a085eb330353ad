# Remove a network adapter, found by its address, from a machine, running or not.
param(
    [Parameter(Mandatory = $true)] [string] $Name,
    [Parameter(Mandatory = $true)] [string] $Mac
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ConfirmPreference = 'None'

$nic = Get-VMNetworkAdapter -VMName $Name | Where-Object { $_.MacAddress -eq $Mac }
if (-not $nic) {
    throw "the machine has no network card $Mac"
}
Remove-VMNetworkAdapter -VMNetworkAdapter $nic

@{ version = 1 } | ConvertTo-Json -Compress
