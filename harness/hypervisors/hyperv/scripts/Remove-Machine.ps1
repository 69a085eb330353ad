# Remove a machine with its saved state and its folders (idempotent).
param(
    [Parameter(Mandatory = $true)] [string] $Name,
    [Parameter(Mandatory = $true)] [string] $Folder
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ConfirmPreference = 'None'

$found = @(Get-VM | Where-Object { $_.Name -eq $Name })
# Its files may have moved: another folder is removed only if it has the name that guestcert gives.
$moved = @($found | ForEach-Object { $_.Path } | Where-Object { $_ -like "*\guestcert\machines\$Name" })
$found | Where-Object { $_.State -notin 'Off', 'Saved', 'OffCritical', 'SavedCritical' } | Stop-VM -TurnOff -Force
$found | Where-Object { $_.State -in 'Saved', 'SavedCritical' } | Remove-VMSavedState
$found | Remove-VM -Force
# Hyper-V then merges the disks of checkpoints, and releases the files with a delay.
$limit = [System.DateTime]::UtcNow.AddSeconds(60)
foreach ($path in @($Folder) + $moved) {
    while (Test-Path -LiteralPath $path) {
        try {
            Remove-Item -LiteralPath $path -Recurse -Force
        }
        catch {
            if ([System.DateTime]::UtcNow -ge $limit) {
                throw
            }
            Start-Sleep -Milliseconds 200
        }
    }
}

@{ version = 1; removed = $found.Count } | ConvertTo-Json -Compress
