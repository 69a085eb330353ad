# Create a folder with notes that name its owner; an existing folder does not change.
param(
    [Parameter(Mandatory = $true)] [string] $Folder,
    [Parameter(Mandatory = $true)] [string] $Notes
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ConfirmPreference = 'None'

$null = New-Item -ItemType Directory -Force -Path $Folder
Set-Content -LiteralPath (Join-Path -Path $Folder -ChildPath 'owner.json') -Value $Notes -Encoding UTF8

@{ version = 1 } | ConvertTo-Json -Compress
