# Kill a process that Windows depends on: this one, once it is declared critical.
Add-Type @'
using System;
using System.Runtime.InteropServices;
public static class Critical {
    const int BreakOnTermination = 29;
    [DllImport("ntdll.dll")]
    static extern int NtSetInformationProcess(IntPtr process, int what, ref int value, int size);
    public static int Declare(IntPtr process) {
        int yes = 1;
        return NtSetInformationProcess(process, BreakOnTermination, ref yes, 4);
    }
}
'@
Start-Sleep -Seconds ([int]$env:GUESTCERT_1)
[Diagnostics.Process]::EnterDebugMode()
$own = [Diagnostics.Process]::GetCurrentProcess()
if ([Critical]::Declare($own.Handle) -eq 0) { $own.Kill() }
