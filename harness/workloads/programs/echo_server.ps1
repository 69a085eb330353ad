# Echo the data of one TCP connection to the given port; report `ready` once it listens.
$port = 'localport=' + $env:GUESTCERT_1
$rule = 'name=guestcert', 'dir=in', 'action=allow', 'protocol=TCP', $port
& netsh.exe advfirewall firewall add rule $rule
$listener = New-Object Net.Sockets.TcpListener ([Net.IPAddress]::Any), ([int]$env:GUESTCERT_1)
$listener.Start()
Write-Event 'ready' 1
$stream = $listener.AcceptTcpClient().GetStream()
$buffer = New-Object byte[] 64
while (($size = $stream.Read($buffer, 0, 64)) -gt 0) { $stream.Write($buffer, 0, $size) }
