# Put a machine back to a checkpoint.
param(
    [Parameter(Mandatory = $true)] [string] $Name,
    [Parameter(Mandatory = $true)] [string] $Checkpoint
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ConfirmPreference = 'None'

Restore-VMSnapshot -VMName $Name -Name $Checkpoint -Confirm:$false

@{ version = 1 } | ConvertTo-Json -Compress
