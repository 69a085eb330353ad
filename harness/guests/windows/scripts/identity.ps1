# What this Windows is known by: its own SID, which is that of its users less their number.
$key = 'HKLM:\SOFTWARE\Microsoft\Cryptography'
@{
    sid = @(Get-Instance 'root\cimv2' 'Win32_UserAccount' 'LocalAccount = TRUE' |
        ForEach-Object { $_.SID -replace '-\d+$', '' } | Sort-Object -Unique)
    guid = @((Get-ItemProperty -LiteralPath $key).MachineGuid)
    name = @([Environment]::MachineName)
}
