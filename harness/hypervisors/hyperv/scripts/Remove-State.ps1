# Take a saved machine's files away; no error where they are gone.
param(
    [Parameter(Mandatory = $true)] [string] $Folder
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

if (Test-Path -LiteralPath $Folder) {
    Remove-Item -LiteralPath $Folder -Recurse -Force
}

@{ version = 1 } | ConvertTo-Json -Compress
