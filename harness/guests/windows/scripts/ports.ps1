# The names of virtio's serial ports: vioser.sys links each to its device among the DOS devices.
# The devices' kernel names are available since Windows 10 and Server 2016.
Add-Type @'
using System.Runtime.InteropServices;
public static class DosDevices {
    [DllImport("kernel32.dll", CharSet = CharSet.Unicode, SetLastError = true)]
    static extern uint QueryDosDevice(string name, char[] buffer, uint length);
    public static string[] Of(string name) {
        char[] buffer = new char[65536];
        uint length = QueryDosDevice(name, buffer, (uint)buffer.Length);
        return new string(buffer, 0, (int)length).Trim('\0').Split('\0');
    }
}
'@
$key = @{ devicePropertyKeys = @('DEVPKEY_Device_PDOName') }
$ports = @(Get-CimInstance -ClassName Win32_PnPEntity |
    Where-Object { $_.DeviceID -like '*\VIOSERIALPORT\*' } |
    ForEach-Object {
        $answer = Invoke-CimMethod -InputObject $_ -MethodName GetDeviceProperties -Arguments $key
        $answer.deviceProperties
    } | ForEach-Object { $_.Data })
$found = @([DosDevices]::Of($null) | Where-Object {
    $_ -notlike '*#*' -and ($ports -contains [DosDevices]::Of($_)[0])
})
, $found
