# Given: the name of an output and a number of bytes. Its newest bytes; empty where it is missing.
$file = Join-Path (Join-Path $env:ALLUSERSPROFILE 'guestcert') $given[0]
$text = ''
if (Test-Path -LiteralPath $file) {
    $stream = [IO.File]::Open($file, [IO.FileMode]::Open, [IO.FileAccess]::Read, [IO.FileShare]7)
    $skipped = [Math]::Max([int64]0, $stream.Length - [int64]$given[1])
    $null = $stream.Seek($skipped, [IO.SeekOrigin]::Begin)
    $reader = New-Object IO.StreamReader $stream
    $text = $reader.ReadToEnd()
    $reader.Close()
}
$text
