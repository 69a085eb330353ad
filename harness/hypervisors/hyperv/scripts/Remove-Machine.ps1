# Take a machine away with its saved state and its folders; no error where it is gone.
param(
    [Parameter(Mandatory = $true)] [string] $Name,
    [Parameter(Mandatory = $true)] [string] $Folder
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ConfirmPreference = 'None'

$found = @(Get-VM | Where-Object { $_.Name -eq $Name })
# Its files may have been moved: another folder is ours only where it has the name that we give.
$moved = @($found | ForEach-Object { $_.Path } | Where-Object { $_ -like "*\guestcert\machines\$Name" })
$found | Where-Object { $_.State -notin 'Off', 'Saved', 'OffCritical', 'SavedCritical' } | Stop-VM -TurnOff -Force
$found | Where-Object { $_.State -in 'Saved', 'SavedCritical' } | Remove-VMSavedState
$found | Remove-VM -Force
# Hyper-V merges the disks of checkpoints then, and lets go of its files a moment later.
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
