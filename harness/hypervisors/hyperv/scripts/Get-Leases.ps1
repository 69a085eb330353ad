# Leases of the host's DHCP server on one network.
param(
    [Parameter(Mandatory = $true)] [string] $Subnet
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ConfirmPreference = 'None'

$leases = @(
    Get-DhcpServerv4Lease -ScopeId $Subnet |
        ForEach-Object { @{ mac = $_.ClientId; address = $_.IPAddress.ToString() } }
)

@{ version = 1; leases = $leases } | ConvertTo-Json -Compress -Depth 4
