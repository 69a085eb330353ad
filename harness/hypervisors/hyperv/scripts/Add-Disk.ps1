# Attach a differencing disk over a read-only base to a powered-off machine. An existing one holds a
# guest's writes and is attached unchanged.
param(
    [Parameter(Mandatory = $true)] [string] $Name,
    [Parameter(Mandatory = $true)] [string] $Base,
    [Parameter(Mandatory = $true)] [string] $Path,
    [Parameter(Mandatory = $true)] [ValidateSet('IDE', 'SCSI')] [string] $Controller,
    [Parameter(Mandatory = $true)] [int] $Number,
    [Parameter(Mandatory = $true)] [int] $Location
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ConfirmPreference = 'None'

if (-not (Test-Path -LiteralPath $Path)) {
    $null = New-Item -ItemType Directory -Force -Path (Split-Path -Parent -Path $Path)
    $null = New-VHD -Path $Path -ParentPath $Base -Differencing
}
Add-VMHardDiskDrive -VMName $Name -ControllerType $Controller -ControllerNumber $Number -ControllerLocation $Location -Path $Path

@{ version = 1 } | ConvertTo-Json -Compress
