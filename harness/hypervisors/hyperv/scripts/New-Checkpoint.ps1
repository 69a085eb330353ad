# Take a checkpoint; `ProductionOnly` fails unless the guest quiesces its disks.
param(
    [Parameter(Mandatory = $true)] [string] $Name,
    [Parameter(Mandatory = $true)] [string] $Checkpoint,
    [Parameter(Mandatory = $true)] [ValidateSet('Standard', 'ProductionOnly')] [string] $Kind
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ConfirmPreference = 'None'

$vm = Get-VM -Name $Name
# Windows Server 2012 R2 has only one kind of checkpoint.
if ((Get-Command -Name Set-VM).Parameters.ContainsKey('CheckpointType')) {
    Set-VM -VM $vm -CheckpointType $Kind
}
elseif ($Kind -ne 'Standard') {
    throw 'the host has no production checkpoints'
}
Checkpoint-VM -VM $vm -SnapshotName $Checkpoint

@{ version = 1 } | ConvertTo-Json -Compress
