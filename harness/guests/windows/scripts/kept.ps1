# What a file of that name holds; what Windows says instead where it is not there.
$file = Join-Path (Join-Path $env:ALLUSERSPROFILE 'guestcert') $given[0]
try {
    $stream = New-Object IO.FileStream $file, 'Open', 'Read', 'ReadWrite, Delete'
    $reader = New-Object IO.StreamReader $stream
    $text = $reader.ReadToEnd()
    $reader.Close()
    @{ text = $text }
} catch {
    @{ failure = [string]$_.Exception.Message }
}
