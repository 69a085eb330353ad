# Whether a file can be written on the system volume, through to the disk.
$file = Join-Path $env:SystemRoot ('Temp\guestcert-' + [Guid]::NewGuid())
try {
    $stream = [IO.File]::Create($file, 4096, [IO.FileOptions]'WriteThrough, DeleteOnClose')
    $stream.WriteByte(1)
    $stream.Close()
    $true
} catch {
    $false
}
