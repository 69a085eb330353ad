# Remove a folder with its content (idempotent).
param(
    [Parameter(Mandatory = $true)] [string] $Folder
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ConfirmPreference = 'None'

# Hyper-V releases a removed machine's disks with a delay, after merging those of checkpoints.
$limit = [System.DateTime]::UtcNow.AddSeconds(60)
while (Test-Path -LiteralPath $Folder) {
    try {
        Remove-Item -LiteralPath $Folder -Recurse -Force
    }
    catch {
        if ([System.DateTime]::UtcNow -ge $limit) {
            throw
        }
        Start-Sleep -Milliseconds 200
    }
}

@{ version = 1 } | ConvertTo-Json -Compress
