# Set the guards of a network adapter, found by its address.
param(
    [Parameter(Mandatory = $true)] [string] $Name,
    [Parameter(Mandatory = $true)] [string] $Mac,
    [Parameter(Mandatory = $true)] [ValidateSet('On', 'Off')] [string] $Spoofing,
    [Parameter(Mandatory = $true)] [ValidateSet('On', 'Off')] [string] $DhcpGuard,
    [Parameter(Mandatory = $true)] [ValidateSet('On', 'Off')] [string] $RouterGuard
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ConfirmPreference = 'None'

$nic = Get-VMNetworkAdapter -VMName $Name | Where-Object { $_.MacAddress -eq $Mac }
if (-not $nic) {
    throw "the machine has no network card $Mac"
}
Set-VMNetworkAdapter -VMNetworkAdapter $nic -MacAddressSpoofing $Spoofing -DhcpGuard $DhcpGuard -RouterGuard $RouterGuard

@{ version = 1 } | ConvertTo-Json -Compress
