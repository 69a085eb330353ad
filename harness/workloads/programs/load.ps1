# Keep every processor and the disk busy, for half an hour.
Add-Type @'
using System;
using System.Threading;
public static class Loading {
    public static void Spin() {
        for (int n = 0; n < Environment.ProcessorCount; n++) {
            Thread thread = new Thread(delegate() { while (true) { } });
            thread.IsBackground = true;
            thread.Start();
        }
    }
}
'@
[Loading]::Spin()
$file = Join-Path $env:SystemRoot 'Temp\guestcert-load'
$data = New-Object byte[] 65536
$end = [DateTime]::UtcNow.AddMinutes(30)
while ([DateTime]::UtcNow -lt $end) {
    $stream = [IO.File]::Create($file, 65536, [IO.FileOptions]::WriteThrough)
    for ($n = 0; $n -lt 200; $n++) { $stream.Write($data, 0, $data.Length) }
    $stream.Close()
}
