# Integration services of a machine, by their ids, which do not depend on the host's language.
param(
    [Parameter(Mandatory = $true)] [string] $Name
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ConfirmPreference = 'None'

$services = @(
    Get-VMIntegrationService -VMName $Name |
        ForEach-Object {
            @{
                id = $_.Id
                enabled = $_.Enabled
                status = if ($null -ne $_.PrimaryOperationalStatus) { $_.PrimaryOperationalStatus.ToString() } else { '' }
            }
        }
)

@{ version = 1; services = $services } | ConvertTo-Json -Compress -Depth 4
