# Newest lines of Hyper-V's log about one machine.
param(
    [Parameter(Mandatory = $true)] [string] $Id,
    [Parameter(Mandatory = $true)] [int] $Count
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ConfirmPreference = 'None'

$lines = @(
    Get-WinEvent -LogName 'Microsoft-Windows-Hyper-V-Worker-Admin' -MaxEvents ($Count * 10) -ErrorAction SilentlyContinue |
        Where-Object { $_.Message -like "*$Id*" } |
        Select-Object -First $Count |
        ForEach-Object { "$($_.TimeCreated.ToUniversalTime().ToString('o')) $($_.Id) $($_.Message)" }
)

@{ version = 1; lines = $lines } | ConvertTo-Json -Compress -Depth 4
