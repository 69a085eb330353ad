# Start another script in the background; its process id. Given: the script, encoded, the name of
# its output, and its values, which are passed in its environment. Started through the shell it
# inherits no handle: nobody waits for its output.
$folder = Join-Path $env:ALLUSERSPROFILE 'guestcert'
$null = New-Item -ItemType Directory -Force -Path $folder
[Environment]::SetEnvironmentVariable('GUESTCERT_OUTPUT', ($folder + '\' + $given[1]))
for ($n = 2; $n -lt $given.Count; $n++) {
    [Environment]::SetEnvironmentVariable('GUESTCERT_' + ($n - 1), $given[$n])
}
$started = New-Object Diagnostics.ProcessStartInfo 'powershell.exe'
$started.Arguments = '-NoProfile -NonInteractive -EncodedCommand ' + $given[0]
$started.UseShellExecute = $true
$started.WindowStyle = 'Hidden'
[Diagnostics.Process]::Start($started).Id
