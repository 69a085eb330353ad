# Count over one TCP connection, which is never reopened, to the address and the port given; in the
# end its result replaces the number.
$folder = Join-Path $env:ALLUSERSPROFILE 'guestcert'
$null = New-Item -ItemType Directory -Force -Path $folder
$path = Join-Path $folder 'count'
$file = [IO.File]::Open($path, [IO.FileMode]::Create, [IO.FileAccess]::Write, [IO.FileShare]7)

function Set-Count($Text) {
    $data = [Text.Encoding]::UTF8.GetBytes($Text)
    $file.Position = 0
    $file.Write($data, 0, $data.Length)
    $file.SetLength($data.Length)
    $file.Flush()
}

$result = 'lost'
try {
    $client = New-Object Net.Sockets.TcpClient $env:GUESTCERT_1, ([int]$env:GUESTCERT_2)
    $stream = $client.GetStream()
    $reader = New-Object IO.StreamReader $stream
    for ($n = 0; $n -lt 1200; $n++) {
        $line = [Text.Encoding]::ASCII.GetBytes([string]$n + [char]10)
        $stream.Write($line, 0, $line.Length)
        if ($reader.ReadLine() -ne [string]$n) { break }
        Set-Count ('{0:d10}' -f $n)
        Start-Sleep -Milliseconds 500
    }
} catch {
    $result = 'lost: ' + $_.Exception.Message
}
Set-Count $result
