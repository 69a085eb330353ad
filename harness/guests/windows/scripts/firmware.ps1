# Given: `kind`; `read`, a variable's name and vendor; `write`, and the data in base64 besides.
Add-Type @'
using System;
using System.ComponentModel;
using System.Runtime.InteropServices;
public static class Uefi {
    const int NotThere = 203, NotUefi = 1, TooSmall = 122;
    const uint Lasting = 7;
    [StructLayout(LayoutKind.Sequential, Pack = 4)]
    struct Privilege { public int Count; public long Id; public int Attributes; }
    [DllImport("kernel32.dll", CharSet = CharSet.Unicode, SetLastError = true)]
    static extern uint GetFirmwareEnvironmentVariable(
        string name, string vendor, byte[] data, uint size);
    [DllImport("kernel32.dll", CharSet = CharSet.Unicode, SetLastError = true)]
    static extern bool SetFirmwareEnvironmentVariableEx(
        string name, string vendor, byte[] data, uint size, uint attributes);
    [DllImport("advapi32.dll", CharSet = CharSet.Unicode, SetLastError = true)]
    static extern bool LookupPrivilegeValue(string system, string name, out long id);
    [DllImport("advapi32.dll", SetLastError = true)]
    static extern bool OpenProcessToken(IntPtr process, uint access, out IntPtr token);
    [DllImport("advapi32.dll", SetLastError = true)]
    static extern bool AdjustTokenPrivileges(
        IntPtr token, bool none, ref Privilege wanted, int size, IntPtr before, IntPtr length);
    public static void Enable() {
        IntPtr token, own = System.Diagnostics.Process.GetCurrentProcess().Handle;
        Privilege wanted = new Privilege();
        wanted.Count = 1;
        wanted.Attributes = 2;
        if (!LookupPrivilegeValue(null, "SeSystemEnvironmentPrivilege", out wanted.Id)
            || !OpenProcessToken(own, 0x28, out token)
            || !AdjustTokenPrivileges(token, false, ref wanted, 0, IntPtr.Zero, IntPtr.Zero)) {
            throw new Win32Exception();
        }
    }
    public static bool There() {
        GetFirmwareEnvironmentVariable("", "{00000000-0000-0000-0000-000000000000}", null, 0);
        return Marshal.GetLastWin32Error() != NotUefi;
    }
    public static string Read(string name, string vendor) {
        byte[] data = new byte[32768];
        uint size = GetFirmwareEnvironmentVariable(name, vendor, data, (uint)data.Length);
        int error = Marshal.GetLastWin32Error();
        if (size == 0 && error != NotThere && error != NotUefi) { throw new Win32Exception(error); }
        return Convert.ToBase64String(data, 0, (int)size);
    }
    public static void Write(string name, string vendor, byte[] data) {
        if (!SetFirmwareEnvironmentVariableEx(name, vendor, data, (uint)data.Length, Lasting)) {
            throw new Win32Exception();
        }
    }
}
'@
[Uefi]::Enable()
switch ($given[0]) {
    'kind' { [Uefi]::There() }
    'read' { [Uefi]::Read($given[1], $given[2]) }
    'write' { [Uefi]::Write($given[1], $given[2], [Convert]::FromBase64String($given[3])) }
}
