# Create an isolated switch with addresses, served by the host's DHCP and DNS servers.
param(
    [Parameter(Mandatory = $true)] [string] $Name,
    [Parameter(Mandatory = $true)] [string] $Notes,
    [Parameter(Mandatory = $true)] [string] $Gateway,
    [Parameter(Mandatory = $true)] [int] $Prefix,
    [Parameter(Mandatory = $true)] [string] $Subnet,
    [Parameter(Mandatory = $true)] [string] $Mask,
    [Parameter(Mandatory = $true)] [string] $Start,
    [Parameter(Mandatory = $true)] [string] $End,
    [Parameter(Mandatory = $true)] [string] $Gateway6,
    [Parameter(Mandatory = $true)] [int] $Prefix6,
    [Parameter(Mandatory = $true)] [string] $Subnet6,
    [Parameter(Mandatory = $true)] [string] $HostName,
    [Parameter(Mandatory = $true)] [string] $Domain
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ConfirmPreference = 'None'

$null = New-VMSwitch -Name $Name -SwitchType Internal -Notes $Notes
$alias = "vEthernet ($Name)"
$null = New-NetIPAddress -InterfaceAlias $alias -IPAddress $Gateway -PrefixLength $Prefix
$null = New-NetIPAddress -InterfaceAlias $alias -IPAddress $Gateway6 -PrefixLength $Prefix6
# No way out: the host forwards nothing from here; it only advertises its prefix.
Set-NetIPInterface -InterfaceAlias $alias -Forwarding Disabled
Set-NetIPInterface -InterfaceAlias $alias -AddressFamily IPv6 -Advertising Enabled
# The on-link route was created with the address.
Set-NetRoute -InterfaceAlias $alias -DestinationPrefix $Subnet6 -Publish Yes

# The servers bind only to an address that passed duplicate address detection.
$limit = [System.DateTime]::UtcNow.AddSeconds(30)
while ((Get-NetIPAddress -IPAddress $Gateway).AddressState -ne 'Preferred' -and [System.DateTime]::UtcNow -lt $limit) {
    Start-Sleep -Milliseconds 200
}
Set-DhcpServerv4Binding -InterfaceAlias $alias -BindingState $true
Add-DhcpServerv4Scope -Name $Name -StartRange $Start -EndRange $End -SubnetMask $Mask
Set-DhcpServerv4OptionValue -ScopeId $Subnet -Router $Gateway -DnsServer $Gateway -DnsDomain $Domain -Force
# One zone serves all networks, with one scope for each, chosen by the queried address. Recursion is
# denied: it would be a way out.
if (-not (Get-DnsServerZone | Where-Object { $_.ZoneName -eq $HostName })) {
    Add-DnsServerPrimaryZone -Name $HostName -ZoneFile 'guestcert.dns'
}
Add-DnsServerZoneScope -ZoneName $HostName -Name $Name
$record = @{ ZoneName = $HostName; ZoneScope = $Name; Name = '@'; IPv4Address = $Gateway }
Add-DnsServerResourceRecordA @record
$queried = "EQ,$Gateway,$Gateway6"
Add-DnsServerQueryResolutionPolicy -ZoneName $HostName -Name $Name -Action ALLOW -ServerInterfaceIP $queried -ZoneScope "$Name,1"
Add-DnsServerQueryResolutionPolicy -Name $Name -Action DENY -ApplyOnRecursion -ServerInterfaceIP $queried

@{ version = 1 } | ConvertTo-Json -Compress
