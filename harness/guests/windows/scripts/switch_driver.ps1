# Given: `on` or `off`, and services. Enable or disable the devices of these services; whether there
# are any, and it succeeded. The cmdlets came with Windows 10 and Server 2016.
$devices = @(Get-Instance 'root\cimv2' 'Win32_PnPEntity' | Where-Object {
    $_.Service -and ($given[1..($given.Count - 1)] -contains $_.Service)
})
try {
    foreach ($device in $devices) {
        if ($given[0] -eq 'on') {
            Enable-PnpDevice -InstanceId $device.DeviceID -Confirm:$false
        } else {
            Disable-PnpDevice -InstanceId $device.DeviceID -Confirm:$false
        }
    }
    $devices.Count -gt 0
} catch {
    if (Get-Lack $_) { throw }
    $false
}
