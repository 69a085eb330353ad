# Add a network adapter with guards against forged addresses, and offers of leases and routes.
param(
    [Parameter(Mandatory = $true)] [string] $Name,
    [Parameter(Mandatory = $true)] [string] $Nic,
    [Parameter(Mandatory = $true)] [string] $Mac,
    [Parameter(Mandatory = $true)] [string] $Network,
    [Parameter(Mandatory = $true)] [bool] $Legacy,
    [Parameter(Mandatory = $true)] [ValidateSet('On', 'Off')] [string] $Spoofing,
    [Parameter(Mandatory = $true)] [ValidateSet('On', 'Off')] [string] $DhcpGuard,
    [Parameter(Mandatory = $true)] [ValidateSet('On', 'Off')] [string] $RouterGuard
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ConfirmPreference = 'None'

$vm = Get-VM -Name $Name
Add-VMNetworkAdapter -VM $vm -Name $Nic -StaticMacAddress $Mac -SwitchName $Network -IsLegacy $Legacy
Set-VMNetworkAdapter -VM $vm -Name $Nic -MacAddressSpoofing $Spoofing -DhcpGuard $DhcpGuard -RouterGuard $RouterGuard

@{ version = 1 } | ConvertTo-Json -Compress
