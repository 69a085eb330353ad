# Whether a process has what is given on its command line; this one has it on standard input.
$found = @(Get-Instance 'root\cimv2' 'Win32_Process' | Where-Object {
    $_.CommandLine -and $_.CommandLine.Contains($given[0])
})
$found.Count -gt 0
