# IPv4 networks of the host's addresses, whether their links are up or not.
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ConfirmPreference = 'None'

$subnets = @(Get-NetIPAddress -AddressFamily IPv4 | ForEach-Object { "$($_.IPAddress)/$($_.PrefixLength)" })

@{ version = 1; subnets = $subnets } | ConvertTo-Json -Compress
