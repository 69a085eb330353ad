# Set the VLANs of a network adapter, found by its address: none, one, or several.
param(
    [Parameter(Mandatory = $true)] [string] $Name,
    [Parameter(Mandatory = $true)] [string] $Mac,
    [Parameter(Mandatory = $true)] [ValidateSet('Untagged', 'Access', 'Trunk')] [string] $Mode,
    [Parameter(Mandatory = $true)] [int] $Access,
    [Parameter(Mandatory = $true)] [int] $Native,
    [string] $Allowed
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ConfirmPreference = 'None'

$nic = Get-VMNetworkAdapter -VMName $Name | Where-Object { $_.MacAddress -eq $Mac }
if (-not $nic) {
    throw "the machine has no network card $Mac"
}
switch ($Mode) {
    'Untagged' { Set-VMNetworkAdapterVlan -VMNetworkAdapter $nic -Untagged }
    'Access' { Set-VMNetworkAdapterVlan -VMNetworkAdapter $nic -Access -VlanId $Access }
    'Trunk' { Set-VMNetworkAdapterVlan -VMNetworkAdapter $nic -Trunk -NativeVlanId $Native -AllowedVlanIdList $Allowed }
}

@{ version = 1 } | ConvertTo-Json -Compress
