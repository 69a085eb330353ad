# Given: a file's name and a text. Write it into the file, through all caches.
$folder = Join-Path $env:ALLUSERSPROFILE 'guestcert'
$null = New-Item -ItemType Directory -Force -Path $folder
$data = [Text.Encoding]::UTF8.GetBytes($given[1])
$stream = [IO.File]::Create((Join-Path $folder $given[0]), 4096, [IO.FileOptions]::WriteThrough)
$stream.Write($data, 0, $data.Length)
$stream.Close()
