# The machines that were saved into a folder, with the notes that stood on them.
param(
    [Parameter(Mandatory = $true)] [string] $Folder
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$states = @(
    if (Test-Path -LiteralPath $Folder) {
        foreach ($state in Get-ChildItem -LiteralPath $Folder -Directory) {
            $file = Join-Path -Path $state.FullName -ChildPath 'owner.json'
            $notes = if (Test-Path -LiteralPath $file) { Get-Content -LiteralPath $file -Raw } else { '' }
            @{ name = $state.Name; notes = $notes }
        }
    }
)

@{ version = 1; states = $states } | ConvertTo-Json -Compress -Depth 4
