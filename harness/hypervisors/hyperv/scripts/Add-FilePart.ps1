# Write a part of a file at its place; what stood after it is cut off.
param(
    [Parameter(Mandatory = $true)] [string] $Path,
    [Parameter(Mandatory = $true)] [long] $Offset,
    [Parameter(Mandatory = $true)] [string] $Data
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$null = New-Item -ItemType Directory -Force -Path (Split-Path -Parent -Path $Path)
$bytes = [System.Convert]::FromBase64String($Data)
$file = [System.IO.File]::Open($Path, [System.IO.FileMode]::OpenOrCreate, [System.IO.FileAccess]::Write)
try {
    $file.SetLength($Offset)
    $null = $file.Seek($Offset, [System.IO.SeekOrigin]::Begin)
    $file.Write($bytes, 0, $bytes.Length)
}
finally {
    $file.Dispose()
}

@{ version = 1; length = $Offset + $bytes.Length } | ConvertTo-Json -Compress
