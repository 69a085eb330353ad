# Append a part to a file, followed by zeros.
param(
    [Parameter(Mandatory = $true)] [string] $Path,
    [Parameter(Mandatory = $true)] [long] $Offset,
    [Parameter(Mandatory = $true)] [AllowEmptyString()] [string] $Data,
    [Parameter(Mandatory = $true)] [int] $Zeros
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ConfirmPreference = 'None'

$null = New-Item -ItemType Directory -Force -Path (Split-Path -Parent -Path $Path)
$bytes = [System.Convert]::FromBase64String($Data)
$file = [System.IO.File]::Open($Path, [System.IO.FileMode]::OpenOrCreate, [System.IO.FileAccess]::Write)
try {
    if ($file.Length -ne $Offset) {
        throw "the file ends at $($file.Length), not at $($Offset): another process uploads the same file"
    }
    $null = $file.Seek($Offset, [System.IO.SeekOrigin]::Begin)
    $file.Write($bytes, 0, $bytes.Length)
    $file.SetLength($Offset + $bytes.Length + $Zeros)
}
finally {
    $file.Dispose()
}

@{ version = 1; length = $Offset + $bytes.Length + $Zeros } | ConvertTo-Json -Compress
