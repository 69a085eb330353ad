# Names of a machine's checkpoints, oldest first.
param(
    [Parameter(Mandatory = $true)] [string] $Name
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ConfirmPreference = 'None'

$names = @(Get-VMSnapshot -VMName $Name | Sort-Object -Property CreationTime | ForEach-Object { $_.Name })

@{ version = 1; names = $names } | ConvertTo-Json -Compress
