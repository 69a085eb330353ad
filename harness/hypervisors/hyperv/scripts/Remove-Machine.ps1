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
$found | Where-Object { $_.State -ne 'Off' -and $_.State -ne 'Saved' } | Stop-VM -TurnOff -Force
$found | Where-Object { $_.State -eq 'Saved' } | Remove-VMSavedState
$found | Remove-VM -Force
foreach ($path in @($Folder) + $moved) {
    if (Test-Path -LiteralPath $path) {
        Remove-Item -LiteralPath $path -Recurse -Force
    }
}

@{ version = 1; removed = $found.Count } | ConvertTo-Json -Compress
