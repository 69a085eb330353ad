# Add, change or remove one key-value pair from host to guest.
param(
    [Parameter(Mandatory = $true)] [string] $Name,
    [Parameter(Mandatory = $true)] [ValidateSet('Add', 'Modify', 'Remove')] [string] $Change,
    [Parameter(Mandatory = $true)] [string] $Key,
    [AllowEmptyString()] [string] $Value = ''
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ConfirmPreference = 'None'

$vm = Get-VM -Name $Name
$space = 'root\virtualization\v2'
$class = New-Object -TypeName System.Management.ManagementClass -ArgumentList $space, 'Msvm_KvpExchangeDataItem', $null
$item = $class.CreateInstance()
$item.Name = $Key
$item.Data = $Value
$item.Source = 0
$text = $item.GetText([System.Management.TextFormat]::CimDtd20)

$system = Get-WmiObject -Namespace $space -Class Msvm_ComputerSystem | Where-Object { $_.Name -eq $vm.Id.ToString() }
$service = Get-WmiObject -Namespace $space -Class Msvm_VirtualSystemManagementService
$outcome = switch ($Change) {
    'Add' { $service.AddKvpItems($system, @($text)) }
    'Modify' { $service.ModifyKvpItems($system, @($text)) }
    'Remove' { $service.RemoveKvpItems($system, @($text)) }
}
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
        throw "the key-value pair was not changed: $($job.ErrorDescription)"
    }
}

@{ version = 1 } | ConvertTo-Json -Compress
