# Remove a switch with its leases and names (idempotent).
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
$zones = @(
    if ($servers -contains 'DNS') {
        Get-DnsServerZone | Where-Object { $_.ZoneType -eq 'Primary' -and $_.ZoneFile -eq 'guestcert.dns' } | ForEach-Object { $_.ZoneName }
    }
)
foreach ($zone in $zones) {
    if (Get-DnsServerQueryResolutionPolicy -ZoneName $zone | Where-Object { $_.Name -eq $Name }) {
        Remove-DnsServerQueryResolutionPolicy -ZoneName $zone -Name $Name -Force
    }
    if (Get-DnsServerZoneScope -ZoneName $zone | Where-Object { $_.ZoneScope -eq $Name }) {
        Remove-DnsServerZoneScope -ZoneName $zone -Name $Name -Force
    }
    # Only the zone's default scope, which has its name, is left when the last network is gone.
    if (-not (Get-DnsServerZoneScope -ZoneName $zone | Where-Object { $_.ZoneScope -ne $zone })) {
        Remove-DnsServerZone -Name $zone -Force
    }
}
if ($servers -contains 'DNS' -and (Get-DnsServerQueryResolutionPolicy | Where-Object { $_.Name -eq $Name })) {
    Remove-DnsServerQueryResolutionPolicy -Name $Name -Force
}
Get-VMSwitch | Where-Object { $_.Name -eq $Name } | Remove-VMSwitch -Force

@{ version = 1 } | ConvertTo-Json -Compress
