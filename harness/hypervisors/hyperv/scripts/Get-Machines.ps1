# Machines whose names begin with a prefix, with their notes.
param(
    [Parameter(Mandatory = $true)] [string] $Prefix
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ConfirmPreference = 'None'

$found = @(
    Get-VM | Where-Object { $_.Name.StartsWith($Prefix, [System.StringComparison]::Ordinal) } |
        ForEach-Object { @{ name = $_.Name; state = $_.State.ToString(); notes = $_.Notes } }
)

@{ version = 1; machines = $found } | ConvertTo-Json -Compress -Depth 4
