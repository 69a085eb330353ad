# The display, as Hyper-V makes it: 16 bits for each pixel, five red, six green, five blue.
param(
    [Parameter(Mandatory = $true)] [string] $Name,
    [Parameter(Mandatory = $true)] [int] $Width,
    [Parameter(Mandatory = $true)] [int] $Height
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$vm = Get-VM -Name $Name
if ($vm.State -ne 'Running') {
    throw "the machine is $($vm.State), and not running"
}
$space = 'root/virtualization/v2'
$settings = Get-CimInstance -Namespace $space -ClassName Msvm_VirtualSystemSettingData |
    Where-Object { $_.VirtualSystemIdentifier -eq $vm.Id.ToString() -and $_.VirtualSystemType -eq 'Microsoft:Hyper-V:System:Realized' }
$service = Get-CimInstance -Namespace $space -ClassName Msvm_VirtualSystemManagementService
$outcome = Invoke-CimMethod -InputObject $service -MethodName GetVirtualSystemThumbnailImage -Arguments @{
    TargetSystem = [ref] $settings
    WidthPixels = [uint16] $Width
    HeightPixels = [uint16] $Height
}
if ($outcome.ReturnValue -ne 0) {
    throw "the virtual machine management service answered $($outcome.ReturnValue)"
}

@{ version = 1; pixels = [System.Convert]::ToBase64String([byte[]] $outcome.ImageData) } | ConvertTo-Json -Compress
