# Key-value pairs of a machine: those that the guest publishes, and those that the host gave it.
param(
    [Parameter(Mandatory = $true)] [string] $Name
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ConfirmPreference = 'None'

function ConvertFrom-Item([string[]] $Items) {
    $pairs = @{}
    foreach ($item in $Items | Where-Object { $_ }) {
        $instance = ([xml] $item).INSTANCE
        $key = $instance.SelectSingleNode("PROPERTY[@NAME='Name']/VALUE").InnerText
        $value = $instance.SelectSingleNode("PROPERTY[@NAME='Data']/VALUE")
        $pairs[$key] = if ($value) { $value.InnerText } else { '' }
    }
    $pairs
}

$vm = Get-VM -Name $Name
$space = 'root/virtualization/v2'
$component = Get-CimInstance -Namespace $space -ClassName Msvm_KvpExchangeComponent |
    Where-Object { $_.SystemName -eq $vm.Id.ToString() }
$setting = Get-CimInstance -Namespace $space -ClassName Msvm_KvpExchangeComponentSettingData |
    Where-Object { $_.InstanceID -like "*$($vm.Id)*" } | Select-Object -First 1
$intrinsic = @(if ($component) { $component.GuestIntrinsicExchangeItems })
$given = @(if ($setting) { $setting.HostExchangeItems })
$guest = @(if ($component) { $component.GuestExchangeItems })

@{
    version = 1
    intrinsic = ConvertFrom-Item -Items $intrinsic
    guest = ConvertFrom-Item -Items $guest
    host = ConvertFrom-Item -Items $given
} | ConvertTo-Json -Compress -Depth 4
