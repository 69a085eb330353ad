# Usage of a machine if it is metered; a figure that is not collected yet is null.
param(
    [Parameter(Mandatory = $true)] [string] $Name
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ConfirmPreference = 'None'

$vm = Get-VM -Name $Name
$usage = $null
if ($vm.ResourceMeteringEnabled) {
    $report = Measure-VM -VM $vm
    $received = 0
    $sent = 0
    foreach ($traffic in $report.NetworkMeteredTrafficReport) {
        if ($traffic.Direction.ToString() -eq 'Inbound') {
            $received += $traffic.TotalTraffic
        }
        else {
            $sent += $traffic.TotalTraffic
        }
    }
    $usage = @{
        seconds = if ($null -ne $report.MeteringDuration) { $report.MeteringDuration.TotalSeconds } else { $null }
        processor_mhz = $report.AverageProcessorUsage
        memory_average = $report.AverageMemoryUsage
        memory_minimum = $report.MinimumMemoryUsage
        memory_maximum = $report.MaximumMemoryUsage
        disk_allocated = $report.TotalDiskAllocation
        disk_read = $report.AggregatedDiskDataRead
        disk_written = $report.AggregatedDiskDataWritten
        received = $received
        sent = $sent
    }
}

@{ version = 1; usage = $usage } | ConvertTo-Json -Compress -Depth 4
