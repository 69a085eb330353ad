# The identity of this Windows: its SID, which is that of its users without their number.
$key = 'HKLM:\SOFTWARE\Microsoft\Cryptography'
@{
    sid = @(Get-Instance 'root\cimv2' 'Win32_UserAccount' 'LocalAccount = TRUE' |
        ForEach-Object { $_.SID -replace '-\d+$', '' } | Sort-Object -Unique)
    guid = @((Get-ItemProperty -LiteralPath $key).MachineGuid)
    name = @([Environment]::MachineName)
}
