# Take a folder of ours away with all that is in it; no error where it is gone.
param(
    [Parameter(Mandatory = $true)] [string] $Folder
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ConfirmPreference = 'None'

# Hyper-V lets go of a removed machine's disks a moment later, and merges those of checkpoints first.
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
