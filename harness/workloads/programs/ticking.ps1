# Print `tick` on the first serial port five times a second, for half an hour.
$port = New-Object IO.Ports.SerialPort 'COM1', 115200
$port.Open()
for ($n = 1; $n -le 9000; $n++) {
    $port.Write('tick' + [char]13 + [char]10)
    Start-Sleep -Milliseconds 200
}
