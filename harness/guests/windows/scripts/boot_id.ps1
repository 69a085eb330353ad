# What this boot is known by. The time of the boot alone would move when the clock is set; HARDWARE
# is a hive that lives in memory alone: what is left there at the first question goes with the boot.
$key = 'HKLM:\HARDWARE'
$name = 'GuestcertBoot'
$id = (Get-ItemProperty -LiteralPath $key).$name
if (-not $id) {
    $began = (Get-Instance 'root\cimv2' 'Win32_OperatingSystem').LastBootUpTime
    if ($began -is [DateTime]) { $began = $began.ToUniversalTime().ToString('o') }
    $id = '{0} {1}' -f $began, [Guid]::NewGuid()
    $null = New-ItemProperty -LiteralPath $key -Name $name -Value $id -PropertyType String
}
$id
