# Set the firmware's UUID and serial number of a powered-off machine, as its guest reads them.
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
if ($outcome.ReturnValue -eq 4096) {
    $job = [System.Management.ManagementObject] $outcome.Job
    $limit = [System.DateTime]::UtcNow.AddSeconds(60)
    # A job's states 2, 3 and 4 are: new, starting, running; 7 is completed.
    while ($job.JobState -in 2, 3, 4 -and [System.DateTime]::UtcNow -lt $limit) {
        Start-Sleep -Milliseconds 100
        $job.Get()
    }
    if ($job.JobState -ne 7) {
        throw "the firmware's identity was not changed: $($job.ErrorDescription)"
    }
}

@{ version = 1 } | ConvertTo-Json -Compress
