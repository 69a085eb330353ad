# Raise a number in a file five times a second, in place, so that a reader never finds it empty.
$folder = Join-Path $env:ALLUSERSPROFILE 'guestcert'
$null = New-Item -ItemType Directory -Force -Path $folder
$file = Join-Path $folder 'count'
$stream = [IO.File]::Open($file, [IO.FileMode]::Create, [IO.FileAccess]::Write, [IO.FileShare]7)
for ($n = 1; ; $n++) {
    $digits = [Text.Encoding]::ASCII.GetBytes('{0:d10}' -f $n)
    $stream.Position = 0
    $stream.Write($digits, 0, $digits.Length)
    $stream.Flush()
    Start-Sleep -Milliseconds 200
}
