# Put a machine back to a checkpoint, and leave it off, or saved where the checkpoint has memory.
param(
    [Parameter(Mandatory = $true)] [string] $Name,
    [Parameter(Mandatory = $true)] [string] $Checkpoint
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ConfirmPreference = 'None'

$snapshot = Get-VMSnapshot -VMName $Name -Name $Checkpoint
# The notes are put back too, and with them a lease that may be over.
$notes = (Get-VM -Name $Name).Notes
# Hyper-V puts back only what does not run.
Get-VM -Name $Name | Where-Object { $_.State -notin 'Off', 'Saved', 'OffCritical', 'SavedCritical' } |
    Stop-VM -TurnOff -Force
Restore-VMSnapshot -VMSnapshot $snapshot -Confirm:$false
Set-VM -Name $Name -Notes $notes

@{ version = 1 } | ConvertTo-Json -Compress
