# The boot id. The time of the boot moves when the clock is set; HARDWARE is a hive that is kept in
# memory only, so a value written there at the first request lasts as long as the boot.
$key = 'HKLM:\HARDWARE'
$name = 'GuestcertBoot'
$id = (Get-ItemProperty -LiteralPath $key).$name
if (-not $id) {
    $start = (Get-Instance 'root\cimv2' 'Win32_OperatingSystem').LastBootUpTime
    if ($start -is [DateTime]) { $start = $start.ToUniversalTime().ToString('o') }
    $id = '{0} {1}' -f $start, [Guid]::NewGuid()
    $null = New-ItemProperty -LiteralPath $key -Name $name -Value $id -PropertyType String
}
$id
