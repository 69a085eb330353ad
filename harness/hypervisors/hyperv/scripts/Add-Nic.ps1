# Add a network adapter; with guards on it cannot offer leases or routes, or forge addresses.
param(
    [Parameter(Mandatory = $true)] [string] $Name,
    [Parameter(Mandatory = $true)] [string] $Nic,
    [Parameter(Mandatory = $true)] [string] $Mac,
    [Parameter(Mandatory = $true)] [string] $Network,
    [Parameter(Mandatory = $true)] [bool] $Legacy,
    [Parameter(Mandatory = $true)] [ValidateSet('On', 'Off')] [string] $Guard,
    [Parameter(Mandatory = $true)] [ValidateSet('On', 'Off')] [string] $Spoofing
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ConfirmPreference = 'None'

$vm = Get-VM -Name $Name
Add-VMNetworkAdapter -VM $vm -Name $Nic -StaticMacAddress $Mac -SwitchName $Network -IsLegacy $Legacy
Set-VMNetworkAdapter -VM $vm -Name $Nic -MacAddressSpoofing $Spoofing -DhcpGuard $Guard -RouterGuard $Guard

@{ version = 1 } | ConvertTo-Json -Compress
