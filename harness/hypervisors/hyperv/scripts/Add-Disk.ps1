# A differencing disk over a base that stays as it is, attached to a powered-off machine. One that
# is there holds what a guest wrote, and is attached as it is.
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
