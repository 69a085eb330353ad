# Send a non-maskable interrupt.
param(
    [Parameter(Mandatory = $true)] [string] $Name
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ConfirmPreference = 'None'

Debug-VM -Name $Name -InjectNonMaskableInterrupt -Force

@{ version = 1 } | ConvertTo-Json -Compress
