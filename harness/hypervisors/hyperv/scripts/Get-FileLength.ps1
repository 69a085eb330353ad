# Length of a file in bytes; -1 where it does not exist.
param(
    [Parameter(Mandatory = $true)] [string] $Path
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ConfirmPreference = 'None'

$length = -1
if (Test-Path -LiteralPath $Path) {
    $length = (Get-Item -LiteralPath $Path).Length
}

@{ version = 1; length = $length } | ConvertTo-Json -Compress
