# A virtual TPM 2.0 under a key that this host made, for a machine of generation 2.
param(
    [Parameter(Mandatory = $true)] [string] $Name
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ConfirmPreference = 'None'

Set-VMKeyProtector -VMName $Name -NewLocalKeyProtector
Enable-VMTPM -VMName $Name

@{ version = 1 } | ConvertTo-Json -Compress
