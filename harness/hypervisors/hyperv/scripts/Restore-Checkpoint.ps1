# Restore a machine to a checkpoint, and leave it off, or saved if the checkpoint has memory.
param(
    [Parameter(Mandatory = $true)] [string] $Name,
    [Parameter(Mandatory = $true)] [string] $Checkpoint
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ConfirmPreference = 'None'

$snapshot = Get-VMSnapshot -VMName $Name -Name $Checkpoint
# The notes are restored too, with a lease that may have expired.
$notes = (Get-VM -Name $Name).Notes
# Hyper-V restores only machines that do not run.
Get-VM -Name $Name | Where-Object { $_.State -notin 'Off', 'Saved', 'OffCritical', 'SavedCritical' } |
    Stop-VM -TurnOff -Force
Restore-VMSnapshot -VMSnapshot $snapshot -Confirm:$false
Set-VM -Name $Name -Notes $notes

@{ version = 1 } | ConvertTo-Json -Compress
