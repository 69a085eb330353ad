# VLANs, guards and ACLs of a network adapter, found by its address.
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
$vlan = Get-VMNetworkAdapterVlan -VMNetworkAdapter $nic
# Metering adds its own ACLs, which allow everything.
$acls = @(
    Get-VMNetworkAdapterAcl -VMNetworkAdapter $nic |
        Where-Object { $_.Action.ToString() -ne 'Meter' } |
        ForEach-Object {
            @{
                action = $_.Action.ToString()
                direction = $_.Direction.ToString()
                remote = $_.RemoteAddress
            }
        }
)

@{
    version = 1
    vlan = @{
        mode = $vlan.OperationMode.ToString()
        access = $vlan.AccessVlanId
        native = $vlan.NativeVlanId
        allowed = @($vlan.AllowedVlanIdList)
    }
    spoofing = $nic.MacAddressSpoofing.ToString()
    dhcp_guard = $nic.DhcpGuard.ToString()
    router_guard = $nic.RouterGuard.ToString()
    acls = $acls
} | ConvertTo-Json -Compress -Depth 4
