# Copy a file of the host into the guest, through the guest service interface.
param(
    [Parameter(Mandatory = $true)] [string] $Name,
    [Parameter(Mandatory = $true)] [string] $Source,
    [Parameter(Mandatory = $true)] [string] $Destination,
    [Parameter(Mandatory = $true)] [bool] $Force
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ConfirmPreference = 'None'

Copy-VMFile -Name $Name -SourcePath $Source -DestinationPath $Destination -FileSource Host -Force:$Force

@{ version = 1 } | ConvertTo-Json -Compress
