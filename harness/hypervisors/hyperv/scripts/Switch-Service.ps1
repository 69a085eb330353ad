# Enable or disable one integration service of a machine on the host.
param(
    [Parameter(Mandatory = $true)] [string] $Name,
    [Parameter(Mandatory = $true)] [string] $Service,
    [Parameter(Mandatory = $true)] [bool] $Enabled
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ConfirmPreference = 'None'

$found = Get-VMIntegrationService -VMName $Name | Where-Object { $_.Id -like "*$Service" }
if (-not $found) {
    throw "the machine has no integration service $Service"
}
if ($Enabled) {
    Enable-VMIntegrationService -VMIntegrationService $found
}
else {
    Disable-VMIntegrationService -VMIntegrationService $found
}

@{ version = 1 } | ConvertTo-Json -Compress
