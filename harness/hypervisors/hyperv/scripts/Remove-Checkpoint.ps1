# Remove a checkpoint; later writes stay.
param(
    [Parameter(Mandatory = $true)] [string] $Name,
    [Parameter(Mandatory = $true)] [string] $Checkpoint
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ConfirmPreference = 'None'

Remove-VMSnapshot -VMName $Name -Name $Checkpoint

@{ version = 1 } | ConvertTo-Json -Compress
