# Set Secure Boot and the boot order of a generation 2 machine; `Order` names its devices.
param(
    [Parameter(Mandatory = $true)] [string] $Name,
    [Parameter(Mandatory = $true)] [ValidateSet('On', 'Off')] [string] $SecureBoot,
    [string] $Template,
    [string[]] $Order = @()
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ConfirmPreference = 'None'

$vm = Get-VM -Name $Name
if ($SecureBoot -eq 'On') {
    Set-VMFirmware -VM $vm -EnableSecureBoot On -SecureBootTemplate $Template
}
else {
    Set-VMFirmware -VM $vm -EnableSecureBoot Off
}

$parts = @{}
foreach ($disk in @(Get-VMHardDiskDrive -VM $vm)) {
    $parts["disk $($disk.ControllerNumber) $($disk.ControllerLocation)"] = $disk
}
foreach ($dvd in @(Get-VMDvdDrive -VM $vm)) {
    $parts["dvd $($dvd.ControllerNumber) $($dvd.ControllerLocation)"] = $dvd
}
foreach ($nic in @(Get-VMNetworkAdapter -VM $vm)) {
    $parts["nic $($nic.Name)"] = $nic
}
$devices = @($Order | ForEach-Object { $parts[$_] })
if ($devices.Count -gt 0) {
    Set-VMFirmware -VM $vm -BootOrder $devices
}

@{ version = 1 } | ConvertTo-Json -Compress
