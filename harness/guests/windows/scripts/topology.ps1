# The processors of each core (0), memory node (1) and socket (3); and the firmware's table of the
# nodes' memory, which Windows itself does not report.
Add-Type @'
using System;
using System.Runtime.InteropServices;
public static class Topology {
    const uint Acpi = 0x41435049;
    [DllImport("kernel32.dll", SetLastError = true)]
    static extern bool GetLogicalProcessorInformation(IntPtr buffer, ref uint length);
    [DllImport("kernel32.dll", SetLastError = true)]
    static extern uint GetSystemFirmwareTable(uint provider, uint table, byte[] buffer, uint size);
    public static long[][] Groups() {
        uint length = 0;
        GetLogicalProcessorInformation(IntPtr.Zero, ref length);
        IntPtr buffer = Marshal.AllocHGlobal((int)length);
        if (!GetLogicalProcessorInformation(buffer, ref length)) {
            throw new System.ComponentModel.Win32Exception();
        }
        int size = IntPtr.Size == 8 ? 32 : 24;
        long[][] found = new long[length / size][];
        for (int n = 0; n < found.Length; n++) {
            long at = buffer.ToInt64() + n * size;
            long mask = Marshal.ReadIntPtr(new IntPtr(at)).ToInt64();
            int kind = Marshal.ReadInt32(new IntPtr(at + IntPtr.Size));
            int number = Marshal.ReadInt32(new IntPtr(at + 8 + (IntPtr.Size == 8 ? 8 : 0)));
            found[n] = new long[] { kind, mask, number };
        }
        Marshal.FreeHGlobal(buffer);
        return found;
    }
    public static string Srat() {
        uint name = BitConverter.ToUInt32(System.Text.Encoding.ASCII.GetBytes("SRAT"), 0);
        uint size = GetSystemFirmwareTable(Acpi, name, null, 0);
        byte[] table = new byte[size];
        if (size > 0) { GetSystemFirmwareTable(Acpi, name, table, size); }
        return Convert.ToBase64String(table);
    }
}
'@
$groups = @([Topology]::Groups() | ForEach-Object {
    @{ Relationship = $_[0]; Mask = '{0:x16}' -f $_[1]; Number = $_[2] }
})
@{ groups = $groups; srat = [Topology]::Srat() }
