# Set a folder's notes, which name its owner (no error where the folder is gone).
param(
    [Parameter(Mandatory = $true)] [string] $Folder,
    [Parameter(Mandatory = $true)] [string] $Notes
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ConfirmPreference = 'None'

if (Test-Path -LiteralPath $Folder) {
    Set-Content -LiteralPath (Join-Path -Path $Folder -ChildPath 'owner.json') -Value $Notes -Encoding UTF8
}

@{ version = 1 } | ConvertTo-Json -Compress
