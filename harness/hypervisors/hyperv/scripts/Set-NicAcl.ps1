# Add or remove a rule for a remote network on a network adapter, found by its address.
param(
    [Parameter(Mandatory = $true)] [string] $Name,
    [Parameter(Mandatory = $true)] [string] $Mac,
    [Parameter(Mandatory = $true)] [ValidateSet('Add', 'Remove')] [string] $Change,
    [Parameter(Mandatory = $true)] [ValidateSet('Allow', 'Deny')] [string] $Action,
    [Parameter(Mandatory = $true)] [ValidateSet('Inbound', 'Outbound')] [string] $Direction,
    [Parameter(Mandatory = $true)] [string] $Remote
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ConfirmPreference = 'None'

$nic = Get-VMNetworkAdapter -VMName $Name | Where-Object { $_.MacAddress -eq $Mac }
if (-not $nic) {
    throw "the machine has no network card $Mac"
}
if ($Change -eq 'Add') {
    Add-VMNetworkAdapterAcl -VMNetworkAdapter $nic -Action $Action -Direction $Direction -RemoteIPAddress $Remote
}
else {
    Remove-VMNetworkAdapterAcl -VMNetworkAdapter $nic -Action $Action -Direction $Direction -RemoteIPAddress $Remote
}

@{ version = 1 } | ConvertTo-Json -Compress
