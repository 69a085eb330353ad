# The content of a file; Windows' error message where it does not exist.
$file = Join-Path (Join-Path $env:ALLUSERSPROFILE 'guestcert') $given[0]
try {
    $stream = [IO.File]::Open($file, [IO.FileMode]::Open, [IO.FileAccess]::Read, [IO.FileShare]7)
    $reader = New-Object IO.StreamReader $stream
    $text = $reader.ReadToEnd()
    $reader.Close()
    @{ text = $text }
} catch {
    @{ failure = [string]$_.Exception.Message }
}
