# Count the echoes of one TCP connection, which is never reopened, to the given address and port.
$reason = 'closed'
try {
    $client = New-Object Net.Sockets.TcpClient $env:GUESTCERT_1, ([int]$env:GUESTCERT_2)
    $stream = $client.GetStream()
    $reader = New-Object IO.StreamReader $stream
    for ($n = 0; $n -lt 1200; $n++) {
        $line = [Text.Encoding]::ASCII.GetBytes([string]$n + [char]10)
        $stream.Write($line, 0, $line.Length)
        if ($reader.ReadLine() -ne [string]$n) { break }
        Write-Event 'count' $n
        Start-Sleep -Milliseconds 500
    }
} catch {
    $reason = $_.Exception.Message
}
Write-Event 'lost' $reason
