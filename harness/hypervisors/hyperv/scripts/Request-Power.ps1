# Ask the guest, through the shutdown service, to shut down or restart; do not wait for it.
param(
    [Parameter(Mandatory = $true)] [string] $Name,
    [Parameter(Mandatory = $true)] [ValidateSet('InitiateShutdown', 'InitiateReboot')] [string] $Method,
    [Parameter(Mandatory = $true)] [string] $Service
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ConfirmPreference = 'None'

$vm = Get-VM -Name $Name
if ($vm.State -ne 'Running') {
    throw "the machine is $($vm.State), and not running"
}
$integration = Get-VMIntegrationService -VM $vm | Where-Object { $_.Id -like "*$Service" }
if (-not $integration.Enabled) {
    throw 'the shutdown service is disabled on the host'
}
$component = Get-CimInstance -Namespace 'root/virtualization/v2' -ClassName Msvm_ShutdownComponent |
    Where-Object { $_.SystemName -eq $vm.Id.ToString() }
if (-not $component) {
    throw 'the guest does not answer through the shutdown service'
}
$outcome = Invoke-CimMethod -InputObject $component -MethodName $Method -Arguments @{
    Force = $true
    Reason = 'guestcert'
}
if ($outcome.ReturnValue -notin 0, 4096) {
    throw "the shutdown service answered $($outcome.ReturnValue)"
}

@{ version = 1 } | ConvertTo-Json -Compress
