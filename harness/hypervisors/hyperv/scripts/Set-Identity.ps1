# The firmware's identity of a powered-off machine: what its guest reads as UUID and serial number.
param(
    [Parameter(Mandatory = $true)] [string] $Name,
    [Parameter(Mandatory = $true)] [string] $Uuid,
    [string] $Serial
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ConfirmPreference = 'None'

$vm = Get-VM -Name $Name
$space = 'root\virtualization\v2'
$settings = Get-WmiObject -Namespace $space -Class Msvm_VirtualSystemSettingData |
    Where-Object { $_.VirtualSystemIdentifier -eq $vm.Id.ToString() } |
    Where-Object { $_.VirtualSystemType -eq 'Microsoft:Hyper-V:System:Realized' }
$settings.BIOSGUID = '{' + $Uuid.ToUpperInvariant() + '}'
if ($Serial) {
    $settings.BIOSSerialNumber = $Serial
}
$service = Get-WmiObject -Namespace $space -Class Msvm_VirtualSystemManagementService
$text = $settings.GetText([System.Management.TextFormat]::CimDtd20)
$outcome = $service.ModifySystemSettings($text)
if ($outcome.ReturnValue -notin 0, 4096) {
    throw "the virtual machine management service answered $($outcome.ReturnValue)"
}

@{ version = 1 } | ConvertTo-Json -Compress
