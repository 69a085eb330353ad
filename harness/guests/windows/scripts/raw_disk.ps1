# Given: `fill` and a mark; `there`; `find`, a mark, the first byte and the number of bytes;
# `count`, a disk and the number of its first bytes. The default disk is that with Windows itself.
# Disks are read below their file systems and the cache.
Add-Type @'
using System;
using System.ComponentModel;
using System.IO;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
public static class Raw {
    const uint Read = 0x80000000, ShareAll = 7, Existing = 3;
    const uint RetrievalPointers = 0x90073;
    [DllImport("kernel32.dll", CharSet = CharSet.Unicode, SetLastError = true)]
    static extern SafeFileHandle CreateFile(string name, uint access, uint share, IntPtr security,
        uint how, uint flags, IntPtr template);
    [DllImport("kernel32.dll", SetLastError = true)]
    static extern bool DeviceIoControl(SafeFileHandle file, uint code, ref long from, int fromSize,
        byte[] to, int toSize, out int output, IntPtr overlapped);
    static SafeFileHandle Open(string name) {
        SafeFileHandle handle = CreateFile(
            name, Read, ShareAll, IntPtr.Zero, Existing, 0, IntPtr.Zero);
        if (handle.IsInvalid) { throw new Win32Exception(); }
        return handle;
    }
    public static long FirstCluster(string file) {
        using (SafeFileHandle handle = Open(file)) {
            long start = 0;
            byte[] output = new byte[32];
            int length;
            bool whole = DeviceIoControl(handle, RetrievalPointers, ref start, 8,
                output, output.Length, out length, IntPtr.Zero);
            if (!whole && Marshal.GetLastWin32Error() != 234) { throw new Win32Exception(); }
            return BitConverter.ToInt64(output, 24);
        }
    }
    public static byte[] Bytes(string disk, long start, int count) {
        byte[] data = new byte[count];
        using (SafeFileHandle handle = Open(disk))
        using (FileStream stream = new FileStream(handle, FileAccess.Read, 1 << 20)) {
            stream.Seek(start, SeekOrigin.Begin);
            int got = 0, more;
            while (got < count && (more = stream.Read(data, got, count - got)) > 0) { got += more; }
        }
        return data;
    }
    public static bool Holds(string disk, long start, long count, byte[] mark) {
        const int step = 1 << 20;
        string wanted = System.Text.Encoding.GetEncoding(28591).GetString(mark);
        for (long at = 0; at < count; at += step) {
            byte[] data = Bytes(disk, start + at, step);
            string text = System.Text.Encoding.GetEncoding(28591).GetString(data);
            if (text.IndexOf(wanted, StringComparison.Ordinal) >= 0) { return true; }
        }
        return false;
    }
    public static int NotZero(string disk, long start, int count) {
        int found = 0;
        foreach (byte one in Bytes(disk, start, count)) { if (one != 0) { found++; } }
        return found;
    }
}
'@
$own = Get-Instance 'root\Microsoft\Windows\Storage' 'MSFT_Partition' 'IsBoot = TRUE'
$disk = '\\.\PhysicalDrive{0}' -f $own.DiskNumber
$file = Join-Path $env:ALLUSERSPROFILE 'guestcert-mark'
switch ($given[0]) {
    'fill' {
        $line = [Text.Encoding]::ASCII.GetBytes($given[1] + [char]10)
        $stream = [IO.File]::Create($file, 4096, [IO.FileOptions]::WriteThrough)
        for ($n = 0; $n -lt 8388608; $n += $line.Length) { $stream.Write($line, 0, $line.Length) }
        $stream.Close()
        Write-VolumeCache -DriveLetter $env:SystemDrive[0]
        $cluster = (Get-Instance 'root\cimv2' 'Win32_Volume' |
            Where-Object { $_.DriveLetter -eq $env:SystemDrive }).BlockSize
        [int64](($own.Offset + [Raw]::FirstCluster($file) * $cluster) / 512)
    }
    'there' { Test-Path -LiteralPath $file }
    'find' {
        $mark = [Text.Encoding]::ASCII.GetBytes($given[1])
        [Raw]::Holds($disk, [int64]$given[2], [int64]$given[3], $mark)
    }
    'count' { [Raw]::NotZero('\\.\{0}' -f $given[1], 0, [int]$given[2]) }
}
