# Every disk, with the services (drivers) of its device and of its parents, up to the root.
# The size is MSFT_Disk's, which came with Windows 8: Win32_DiskDrive rounds it to cylinders.
Add-Type @'
using System.Collections.Generic;
using System.Runtime.InteropServices;
using System.Text;
public static class Tree {
    const int Service = 5;
    [DllImport("cfgmgr32.dll", CharSet = CharSet.Unicode, EntryPoint = "CM_Locate_DevNodeW")]
    static extern int Locate(out int node, string id, int flags);
    [DllImport("cfgmgr32.dll", EntryPoint = "CM_Get_Parent")]
    static extern int Parent(out int parent, int node, int flags);
    [DllImport("cfgmgr32.dll", CharSet = CharSet.Unicode,
        EntryPoint = "CM_Get_DevNode_Registry_PropertyW")]
    static extern int Property(
        int node, int what, out int kind, StringBuilder text, ref int bytes, int flags);
    public static string[] Drivers(string id) {
        List<string> found = new List<string>();
        int node;
        for (int code = Locate(out node, id, 0); code == 0; code = Parent(out node, node, 0)) {
            int kind, bytes = 512;
            StringBuilder text = new StringBuilder(256);
            if (Property(node, Service, out kind, text, ref bytes, 0) == 0) {
                found.Add(text.ToString());
            }
        }
        return found.ToArray();
    }
}
'@
$sizes = @{}
Get-Instance 'root\Microsoft\Windows\Storage' 'MSFT_Disk' | ForEach-Object {
    $sizes[[int]$_.Number] = $_.Size
}
$found = @(Get-Instance 'root\cimv2' 'Win32_DiskDrive' | ForEach-Object {
    @{
        Index = $_.Index
        SerialNumber = $_.SerialNumber
        Size = $sizes[[int]$_.Index]
        Drivers = [Tree]::Drivers($_.PNPDeviceID)
    }
})
, $found
