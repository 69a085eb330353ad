# Resize a machine's memory: its limits where it is dynamic, else the amount; running or not.
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
    # At once: apart, a limit could lie beyond what the other one still is.
    Set-VMMemory -VM $vm -MinimumBytes ([long] $MinimumMib * $mebibyte) -MaximumBytes ([long] $MaximumMib * $mebibyte)
}

@{ version = 1 } | ConvertTo-Json -Compress
