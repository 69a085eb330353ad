# Raise a number in a file five times a second; whoever reads it never finds half of one.
$folder = Join-Path $env:ALLUSERSPROFILE 'guestcert'
$null = New-Item -ItemType Directory -Force -Path $folder
$file = Join-Path $folder 'count'
for ($n = 1; ; $n++) {
    [IO.File]::WriteAllText($file + '.new', [string]$n)
    Move-Item -Force -LiteralPath ($file + '.new') -Destination $file
    Start-Sleep -Milliseconds 200
}
