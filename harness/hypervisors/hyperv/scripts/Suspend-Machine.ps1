# Stop the virtual processors of a running machine.
param(
    [Parameter(Mandatory = $true)] [string] $Name
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ConfirmPreference = 'None'

Suspend-VM -Name $Name

@{ version = 1 } | ConvertTo-Json -Compress
