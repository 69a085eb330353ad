# The display at its own size, two bytes for each pixel: five bits red, six green, five blue.
param(
    [Parameter(Mandatory = $true)] [string] $Name
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ConfirmPreference = 'None'

$vm = Get-VM -Name $Name
if ($vm.State -ne 'Running') {
    throw "the machine is $($vm.State), and not running"
}
$space = 'root/virtualization/v2'
$head = Get-CimInstance -Namespace $space -ClassName Msvm_VideoHead |
    Where-Object { $_.SystemName -eq $vm.Id.ToString() } | Select-Object -First 1
if (-not $head -or -not $head.CurrentHorizontalResolution) {
    throw 'the machine shows no picture'
}
$settings = Get-CimInstance -Namespace $space -ClassName Msvm_VirtualSystemSettingData |
    Where-Object { $_.VirtualSystemIdentifier -eq $vm.Id.ToString() } |
    Where-Object { $_.VirtualSystemType -eq 'Microsoft:Hyper-V:System:Realized' }
$service = Get-CimInstance -Namespace $space -ClassName Msvm_VirtualSystemManagementService
# No larger than the display: larger requests are refused.
$outcome = Invoke-CimMethod -InputObject $service -MethodName GetVirtualSystemThumbnailImage -Arguments @{
    TargetSystem = [ciminstance] $settings
    WidthPixels = [uint16] $head.CurrentHorizontalResolution
    HeightPixels = [uint16] $head.CurrentVerticalResolution
}
if ($outcome.ReturnValue -ne 0) {
    throw "the virtual machine management service answered $($outcome.ReturnValue)"
}

@{
    version = 1
    width = [int] $head.CurrentHorizontalResolution
    height = [int] $head.CurrentVerticalResolution
    pixels = [System.Convert]::ToBase64String([byte[]] $outcome.ImageData)
} | ConvertTo-Json -Compress
