# Resume the virtual processors of a paused machine.
param(
    [Parameter(Mandatory = $true)] [string] $Name
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ConfirmPreference = 'None'

Resume-VM -Name $Name

@{ version = 1 } | ConvertTo-Json -Compress
