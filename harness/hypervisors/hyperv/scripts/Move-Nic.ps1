# Plug a network adapter, found by its address, into another switch.
param(
    [Parameter(Mandatory = $true)] [string] $Name,
    [Parameter(Mandatory = $true)] [string] $Mac,
    [Parameter(Mandatory = $true)] [string] $Network
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ConfirmPreference = 'None'

$nic = Get-VMNetworkAdapter -VMName $Name | Where-Object { $_.MacAddress -eq $Mac }
if (-not $nic) {
    throw "the machine has no network card $Mac"
}
Connect-VMNetworkAdapter -VMNetworkAdapter $nic -SwitchName $Network

@{ version = 1 } | ConvertTo-Json -Compress
