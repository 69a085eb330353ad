# Switches whose names begin with a prefix, with their notes.
param(
    [Parameter(Mandatory = $true)] [string] $Prefix
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ConfirmPreference = 'None'

$found = @(
    Get-VMSwitch | Where-Object { $_.Name.StartsWith($Prefix, [System.StringComparison]::Ordinal) } |
        ForEach-Object { @{ name = $_.Name; notes = $_.Notes } }
)

@{ version = 1; networks = $found } | ConvertTo-Json -Compress -Depth 4
