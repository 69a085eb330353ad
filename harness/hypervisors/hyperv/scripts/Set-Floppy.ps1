# Insert a floppy disk into the drive of a generation 1 machine.
param(
    [Parameter(Mandatory = $true)] [string] $Name,
    [Parameter(Mandatory = $true)] [string] $Path
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ConfirmPreference = 'None'

Set-VMFloppyDiskDrive -VMName $Name -Path $Path

@{ version = 1 } | ConvertTo-Json -Compress
