# Start another script in the background: it is given first, encoded; the other values are passed
# in its environment. Started through the shell it inherits no handle: nobody waits for its output.
for ($n = 1; $n -lt $given.Count; $n++) {
    [Environment]::SetEnvironmentVariable('GUESTCERT_' + $n, $given[$n])
}
$started = New-Object Diagnostics.ProcessStartInfo 'powershell.exe'
$started.Arguments = '-NoProfile -NonInteractive -EncodedCommand ' + $given[0]
$started.UseShellExecute = $true
$started.WindowStyle = 'Hidden'
$null = [Diagnostics.Process]::Start($started)
