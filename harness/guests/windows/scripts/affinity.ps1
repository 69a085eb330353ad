# Given: a processor's number. The processor on which a thread of a process bound to it runs.
Add-Type @'
using System.Runtime.InteropServices;
public static class Running {
    [DllImport("kernel32.dll")]
    public static extern uint GetCurrentProcessorNumber();
}
'@
$mask = [int64][Math]::Pow(2, [int]$given[0])
[Diagnostics.Process]::GetCurrentProcess().ProcessorAffinity = [IntPtr]$mask
[Threading.Thread]::Sleep(1)
[Running]::GetCurrentProcessorNumber()
