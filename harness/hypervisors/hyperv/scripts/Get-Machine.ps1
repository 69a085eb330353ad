# Current settings of one machine.
param(
    [Parameter(Mandatory = $true)] [string] $Name
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ConfirmPreference = 'None'
$mebibyte = 1048576

$vm = Get-VM -Name $Name
$processor = Get-VMProcessor -VM $vm
$memory = Get-VMMemory -VM $vm
$disks = @(Get-VMHardDiskDrive -VM $vm | ForEach-Object { "$($_.ControllerType) $($_.ControllerNumber):$($_.ControllerLocation) $($_.Path)" })
$dvds = @(Get-VMDvdDrive -VM $vm | ForEach-Object { "$($_.ControllerType) $($_.ControllerNumber):$($_.ControllerLocation) $($_.Path)" })
$nics = @(Get-VMNetworkAdapter -VM $vm | ForEach-Object { "$($_.MacAddress) $($_.SwitchName)" })

@{
    version = 1
    name = $vm.Name
    id = $vm.Id.ToString()
    state = $vm.State.ToString()
    generation = $vm.Generation
    configuration = $vm.Version.ToString()
    processors = $processor.Count
    startup_mib = [long] ($memory.Startup / $mebibyte)
    dynamic_memory = $memory.DynamicMemoryEnabled
    disks = $disks
    dvds = $dvds
    nics = $nics
} | ConvertTo-Json -Compress -Depth 4
