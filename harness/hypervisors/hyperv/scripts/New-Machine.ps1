# Create a powered-off machine without disks and network adapters.
param(
    [Parameter(Mandatory = $true)] [string] $Name,
    [Parameter(Mandatory = $true)] [ValidateSet(1, 2)] [int] $Generation,
    [Parameter(Mandatory = $true)] [string] $Folder,
    [Parameter(Mandatory = $true)] [string] $Notes,
    [Parameter(Mandatory = $true)] [int] $MemoryMib,
    [Parameter(Mandatory = $true)] [int] $Processors,
    [Parameter(Mandatory = $true)] [bool] $LegacyProcessor,
    [Parameter(Mandatory = $true)] [string] $Pipe,
    [int] $ProcessorsPerNode,
    [int] $CoreThreads,
    [int] $MinimumMib,
    [int] $MaximumMib
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ConfirmPreference = 'None'
$mebibyte = 1048576

$startup = [long] $MemoryMib * $mebibyte
$vm = New-VM -Name $Name -Generation $Generation -Path $Folder -MemoryStartupBytes $startup -NoVHD
# The notes come first: after a failure they identify the machine for removal.
Set-VM -VM $vm -Notes $Notes -AutomaticStartAction Nothing -AutomaticStopAction TurnOff
if ((Get-Command -Name Set-VM).Parameters.ContainsKey('AutomaticCheckpointsEnabled')) {
    Set-VM -VM $vm -AutomaticCheckpointsEnabled $false
}
if ($MaximumMib -gt 0) {
    Set-VMMemory -VM $vm -DynamicMemoryEnabled $true -MinimumBytes ([long] $MinimumMib * $mebibyte) -MaximumBytes ([long] $MaximumMib * $mebibyte)
}
else {
    Set-VMMemory -VM $vm -DynamicMemoryEnabled $false
}
Set-VMProcessor -VM $vm -Count $Processors -CompatibilityForOlderOperatingSystemsEnabled $LegacyProcessor
if ($ProcessorsPerNode -gt 0) {
    Set-VMProcessor -VM $vm -MaximumCountPerNumaNode $ProcessorsPerNode
}
# Hosts without this parameter have one thread for each core.
$hasThreads = (Get-Command -Name Set-VMProcessor).Parameters.ContainsKey('HwThreadCountPerCore')
if ($CoreThreads -gt 1 -and -not $hasThreads) {
    throw 'the host does not support several threads for each core'
}
if ($CoreThreads -gt 0 -and $hasThreads) {
    Set-VMProcessor -VM $vm -HwThreadCountPerCore $CoreThreads
}
Set-VMComPort -VM $vm -Number 1 -Path $Pipe
Get-VMNetworkAdapter -VM $vm | Remove-VMNetworkAdapter
Get-VMDvdDrive -VM $vm | Remove-VMDvdDrive

@{ version = 1; id = $vm.Id.ToString() } | ConvertTo-Json -Compress
