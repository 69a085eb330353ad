# Enable a virtual TPM 2.0 of a generation 2 machine, under a key that this host generates.
param(
    [Parameter(Mandatory = $true)] [string] $Name
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ConfirmPreference = 'None'

Set-VMKeyProtector -VMName $Name -NewLocalKeyProtector
Enable-VMTPM -VMName $Name

@{ version = 1 } | ConvertTo-Json -Compress
