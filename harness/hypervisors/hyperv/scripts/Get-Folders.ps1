# Folders in a folder, with the notes that name their owners.
param(
    [Parameter(Mandatory = $true)] [string] $Folder
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ConfirmPreference = 'None'

$found = @(
    if (Test-Path -LiteralPath $Folder) {
        foreach ($one in Get-ChildItem -LiteralPath $Folder -Directory) {
            $file = Join-Path -Path $one.FullName -ChildPath 'owner.json'
            $notes = if (Test-Path -LiteralPath $file) { [System.IO.File]::ReadAllText($file) } else { '' }
            @{ name = $one.Name; notes = $notes }
        }
    }
)

@{ version = 1; folders = $found } | ConvertTo-Json -Compress -Depth 4
