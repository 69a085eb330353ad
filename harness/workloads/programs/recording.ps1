# Write numbered records, each through all caches before its acknowledgement on the first port.
$port = New-Object IO.Ports.SerialPort 'COM1', 115200
$port.Open()
for ($n = 1; $n -le 100000; $n++) {
    Write-Event 'record' $n
    $port.Write(('kept {0}.' -f $n) + [char]13 + [char]10)
}
