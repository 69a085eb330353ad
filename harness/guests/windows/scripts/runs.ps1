# Given: an argument. Whether a process has it on its command line; this one reads it from stdin.
$found = @(Get-Instance 'root\cimv2' 'Win32_Process' | Where-Object {
    $_.CommandLine -and $_.CommandLine.Contains($given[0])
})
$found.Count -gt 0
