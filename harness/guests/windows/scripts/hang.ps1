# Threads of real-time priority on every processor: nothing else is scheduled.
Add-Type @'
using System;
using System.Threading;
public static class Hanging {
    public static void Spin() {
        for (int n = 0; n < 2 * Environment.ProcessorCount; n++) {
            Thread thread = new Thread(delegate() { while (true) { } });
            thread.Priority = ThreadPriority.Highest;
            thread.Start();
        }
    }
}
'@
Start-Sleep -Seconds 2
[Diagnostics.Process]::GetCurrentProcess().PriorityClass = 'RealTime'
[Hanging]::Spin()
Start-Sleep -Seconds 3600
