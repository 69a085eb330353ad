# A machine's current memory and its limits.
param(
    [Parameter(Mandatory = $true)] [string] $Name
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ConfirmPreference = 'None'
$mebibyte = 1048576

$vm = Get-VM -Name $Name
$memory = Get-VMMemory -VM $vm

@{
    version = 1
    dynamic = $memory.DynamicMemoryEnabled
    startup_mib = [long] ($memory.Startup / $mebibyte)
    minimum_mib = [long] ($memory.Minimum / $mebibyte)
    maximum_mib = [long] ($memory.Maximum / $mebibyte)
    assigned_mib = [long] ($vm.MemoryAssigned / $mebibyte)
    require_mib = [long] ($vm.MemoryDemand / $mebibyte)
    status = [string] $vm.MemoryStatus
} | ConvertTo-Json -Compress
