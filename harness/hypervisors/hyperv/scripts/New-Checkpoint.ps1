# A checkpoint; `ProductionOnly` is quiesced by the guest, or fails.
param(
    [Parameter(Mandatory = $true)] [string] $Name,
    [Parameter(Mandatory = $true)] [string] $Checkpoint,
    [Parameter(Mandatory = $true)] [ValidateSet('Standard', 'ProductionOnly')] [string] $Kind
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ConfirmPreference = 'None'

$vm = Get-VM -Name $Name
Set-VM -VM $vm -CheckpointType $Kind
Checkpoint-VM -VM $vm -SnapshotName $Checkpoint

@{ version = 1 } | ConvertTo-Json -Compress
