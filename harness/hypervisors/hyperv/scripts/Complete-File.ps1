# Rename a complete file if its digest is right; else remove it.
param(
    [Parameter(Mandatory = $true)] [string] $Path,
    [Parameter(Mandatory = $true)] [string] $Target,
    [Parameter(Mandatory = $true)] [string] $Digest
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ConfirmPreference = 'None'

$found = (Get-FileHash -LiteralPath $Path -Algorithm SHA256).Hash
if ($found -ne $Digest) {
    Remove-Item -LiteralPath $Path -Force
    throw "the file arrived with the digest $found, and not with $Digest"
}
Move-Item -LiteralPath $Path -Destination $Target -Force
Set-ItemProperty -LiteralPath $Target -Name IsReadOnly -Value $true

@{ version = 1 } | ConvertTo-Json -Compress
