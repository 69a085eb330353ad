# Every service; those that start late, or on an event, may start and stop at any time.
$found = @(Get-Instance 'root\cimv2' 'Win32_Service' | ForEach-Object {
    $key = Join-Path 'HKLM:\SYSTEM\CurrentControlSet\Services' $_.Name
    $late = $null
    if (Test-Path -LiteralPath $key) {
        $late = (Get-ItemProperty -LiteralPath $key).DelayedAutoStart
    }
    @{
        Name = $_.Name
        State = $_.State
        StartMode = $_.StartMode
        ExitCode = $_.ExitCode
        Delayed = [bool]$late
        Triggered = Test-Path -LiteralPath (Join-Path $key 'TriggerInfo')
    }
})
, $found
