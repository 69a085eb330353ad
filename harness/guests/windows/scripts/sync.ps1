# Flush the cache of the system volume to its disk, as an administrator may.
Add-Type @'
using System;
using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
public static class Volume {
    const uint ReadAndWrite = 0xC0000000, ShareBoth = 3, Existing = 3;
    [DllImport("kernel32.dll", CharSet = CharSet.Unicode, SetLastError = true)]
    static extern SafeFileHandle CreateFile(string name, uint access, uint share, IntPtr security,
        uint how, uint flags, IntPtr template);
    [DllImport("kernel32.dll", SetLastError = true)]
    static extern bool FlushFileBuffers(SafeFileHandle file);
    public static void Flush(string name) {
        using (SafeFileHandle handle = CreateFile(
            name, ReadAndWrite, ShareBoth, IntPtr.Zero, Existing, 0, IntPtr.Zero)) {
            if (handle.IsInvalid || !FlushFileBuffers(handle)) { throw new Win32Exception(); }
        }
    }
}
'@
[Volume]::Flush('\\.\' + $env:SystemDrive)
