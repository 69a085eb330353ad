# Given: `leave` and a name; `disk`; `memory`. HARDWARE is a hive that is kept in memory only.
$folder = Join-Path $env:ALLUSERSPROFILE 'guestcert\marks'
$key = 'HKLM:\HARDWARE'
$prefix = 'GuestcertMark-'
$null = New-Item -ItemType Directory -Force -Path $folder
switch ($given[0]) {
    'leave' {
        $file = Join-Path $folder $given[1]
        [IO.File]::Create($file, 4096, [IO.FileOptions]::WriteThrough).Close()
        $null = New-ItemProperty -LiteralPath $key -Name ($prefix + $given[1]) -Value 1 -Force
    }
    'disk' {
        , @([IO.Directory]::GetFiles($folder) | ForEach-Object { [IO.Path]::GetFileName($_) })
    }
    'memory' {
        $names = @((Get-Item -LiteralPath $key).GetValueNames())
        $names = @($names | Where-Object { $_.StartsWith($prefix) })
        , @($names | ForEach-Object { $_.Substring($prefix.Length) })
    }
}
