# Whether a file can be written on the system volume, down to the disk.
$file = Join-Path $env:SystemRoot ('Temp\guestcert-' + [Guid]::NewGuid())
try {
    $through = 'WriteThrough, DeleteOnClose'
    $stream = New-Object IO.FileStream $file, 'CreateNew', 'Write', 'None', 4096, $through
    $stream.WriteByte(1)
    $stream.Close()
    $true
} catch {
    $false
}
