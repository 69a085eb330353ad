# Print `tick` on the first serial port five times a second.
$port = New-Object IO.Ports.SerialPort 'COM1', 115200
$port.Open()
while ($true) {
    $port.Write('tick' + [char]13 + [char]10)
    Start-Sleep -Milliseconds 200
}
