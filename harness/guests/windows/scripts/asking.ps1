# Count over one TCP connection, which is never made again, to the address and the port given.
$folder = Join-Path $env:ALLUSERSPROFILE 'guestcert'
$null = New-Item -ItemType Directory -Force -Path $folder
$file = Join-Path $folder 'count'
$said = 'lost'
try {
    $client = New-Object Net.Sockets.TcpClient $env:GUESTCERT_1, ([int]$env:GUESTCERT_2)
    $stream = $client.GetStream()
    $reader = New-Object IO.StreamReader $stream
    for ($n = 0; $n -lt 1200; $n++) {
        $line = [Text.Encoding]::ASCII.GetBytes([string]$n + [char]10)
        $stream.Write($line, 0, $line.Length)
        if ($reader.ReadLine() -ne [string]$n) { break }
        [IO.File]::WriteAllText($file + '.new', [string]$n)
        Move-Item -Force -LiteralPath ($file + '.new') -Destination $file
        Start-Sleep -Milliseconds 500
    }
} catch {
    $said = 'lost: ' + $_.Exception.Message
}
[IO.File]::WriteAllText($file, $said)
