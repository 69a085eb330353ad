# Resize a machine's memory, running or not: the limits of dynamic memory, else the amount.
param(
    [Parameter(Mandatory = $true)] [string] $Name,
    [int] $StartupMib,
    [int] $MinimumMib,
    [int] $MaximumMib
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ConfirmPreference = 'None'
$mebibyte = 1048576

$vm = Get-VM -Name $Name
if ($StartupMib -gt 0) {
    Set-VMMemory -VM $vm -StartupBytes ([long] $StartupMib * $mebibyte)
}
if ($MinimumMib -gt 0 -and $MaximumMib -gt 0) {
    # In one call: separately, one limit could exceed the old value of the other.
    Set-VMMemory -VM $vm -MinimumBytes ([long] $MinimumMib * $mebibyte) -MaximumBytes ([long] $MaximumMib * $mebibyte)
}

@{ version = 1 } | ConvertTo-Json -Compress
