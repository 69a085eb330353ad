# Take a machine away with its saved state and its folder; no error where it is gone.
param(
    [Parameter(Mandatory = $true)] [string] $Name,
    [Parameter(Mandatory = $true)] [string] $Folder
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$found = @(Get-VM | Where-Object { $_.Name -eq $Name })
$found | Where-Object { $_.State -ne 'Off' -and $_.State -ne 'Saved' } | Stop-VM -TurnOff -Force
$found | Where-Object { $_.State -eq 'Saved' } | Remove-VMSavedState
$found | Remove-VM -Force
if (Test-Path -LiteralPath $Folder) {
    Remove-Item -LiteralPath $Folder -Recurse -Force
}

@{ version = 1; removed = $found.Count } | ConvertTo-Json -Compress
