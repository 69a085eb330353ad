# Press and release a key of a running machine's keyboard, by its scan codes of set 1.
param(
    [Parameter(Mandatory = $true)] [string] $Name,
    [Parameter(Mandatory = $true)] [int] $Press,
    [Parameter(Mandatory = $true)] [int] $Release
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ConfirmPreference = 'None'

$vm = Get-VM -Name $Name
if ($vm.State -ne 'Running') {
    throw "the machine is $($vm.State), and not running"
}
$keyboard = Get-CimInstance -Namespace 'root/virtualization/v2' -ClassName Msvm_Keyboard |
    Where-Object { $_.SystemName -eq $vm.Id.ToString() }
$outcome = Invoke-CimMethod -InputObject $keyboard -MethodName TypeScancodes -Arguments @{
    Scancodes = [byte[]] @($Press, $Release)
}
if ($outcome.ReturnValue -ne 0) {
    throw "the keyboard answered $($outcome.ReturnValue)"
}

@{ version = 1 } | ConvertTo-Json -Compress
