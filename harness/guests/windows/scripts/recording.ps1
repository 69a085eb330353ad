# Write numbered records, each through all caches before its acknowledgement on the first port.
$folder = Join-Path $env:ALLUSERSPROFILE 'guestcert'
$null = New-Item -ItemType Directory -Force -Path $folder
$stream = [IO.File]::Create((Join-Path $folder 'records'), 4096, [IO.FileOptions]::WriteThrough)
$port = New-Object IO.Ports.SerialPort 'COM1', 115200
$port.Open()
for ($n = 1; ; $n++) {
    $line = [Text.Encoding]::ASCII.GetBytes(('record {0}' -f $n) + [char]10)
    $stream.Write($line, 0, $line.Length)
    $stream.Flush()
    $port.Write(('kept {0}.' -f $n) + [char]13 + [char]10)
}
