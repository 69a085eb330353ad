# A floppy disk in the drive that every machine of generation 1 has.
param(
    [Parameter(Mandatory = $true)] [string] $Name,
    [Parameter(Mandatory = $true)] [string] $Path
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ConfirmPreference = 'None'

Set-VMFloppyDiskDrive -VMName $Name -Path $Path

@{ version = 1 } | ConvertTo-Json -Compress
