# Every service; those that are started late, or by an event, come and go as they like.
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
