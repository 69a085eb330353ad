# Add a DVD drive with an image.
param(
    [Parameter(Mandatory = $true)] [string] $Name,
    [Parameter(Mandatory = $true)] [string] $Path,
    [Parameter(Mandatory = $true)] [int] $Number,
    [Parameter(Mandatory = $true)] [int] $Location
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ConfirmPreference = 'None'

Add-VMDvdDrive -VMName $Name -ControllerNumber $Number -ControllerLocation $Location -Path $Path

@{ version = 1 } | ConvertTo-Json -Compress
