# Take a switch away with its leases and names; no error where any of them is gone.
param(
    [Parameter(Mandatory = $true)] [string] $Name
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ConfirmPreference = 'None'

$servers = @(
    Get-Service -Name 'DHCPServer', 'DNS' -ErrorAction SilentlyContinue |
        Where-Object { $_.Status -eq 'Running' } | ForEach-Object { $_.Name }
)
if ($servers -contains 'DHCPServer') {
    Get-DhcpServerv4Scope | Where-Object { $_.Name -eq $Name } | Remove-DhcpServerv4Scope -Force
}
$addresses = @(
    Get-NetIPAddress | Where-Object { $_.InterfaceAlias -eq "vEthernet ($Name)" } |
        ForEach-Object { $_.IPAddress }
)
$zones = @(
    if ($servers -contains 'DNS') {
        Get-DnsServerZone | Where-Object { $_.ZoneType -eq 'Primary' -and $_.ZoneFile -eq 'guestcert.dns' } | ForEach-Object { $_.ZoneName }
    }
)
foreach ($zone in $zones) {
    Get-DnsServerResourceRecord -ZoneName $zone -RRType A |
        Where-Object { $addresses -contains $_.RecordData.IPv4Address.ToString() } |
        Remove-DnsServerResourceRecord -ZoneName $zone -Force
    if (-not (Get-DnsServerResourceRecord -ZoneName $zone -RRType A)) {
        Remove-DnsServerZone -Name $zone -Force
    }
}
Get-VMSwitch | Where-Object { $_.Name -eq $Name } | Remove-VMSwitch -Force

@{ version = 1 } | ConvertTo-Json -Compress
