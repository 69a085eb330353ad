# The host's folder of virtual hard disks, its free space, and its switches.
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ConfirmPreference = 'None'

$vmhost = Get-VMHost
$folder = $vmhost.VirtualHardDiskPath
$root = [System.IO.Path]::GetPathRoot($folder)
$drive = New-Object -TypeName System.IO.DriveInfo -ArgumentList $root
$switches = @(Get-VMSwitch | ForEach-Object { @{ name = $_.Name; kind = $_.SwitchType.ToString() } })

@{
    version = 1
    folder = $folder
    free_bytes = $drive.AvailableFreeSpace
    memory_bytes = $vmhost.MemoryCapacity
    processors = $vmhost.LogicalProcessorCount
    switches = $switches
} | ConvertTo-Json -Compress -Depth 4
