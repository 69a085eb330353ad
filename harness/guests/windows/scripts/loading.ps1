# Keep every processor busy, and the disk.
Add-Type @'
using System;
using System.Threading;
public static class Loading {
    public static void Spin() {
        for (int n = 0; n < Environment.ProcessorCount; n++) {
            Thread thread = new Thread(delegate() { while (true) { } });
            thread.Start();
        }
    }
}
'@
[Loading]::Spin()
$file = Join-Path $env:SystemRoot 'Temp\guestcert-load'
$data = New-Object byte[] 65536
while ($true) {
    $stream = New-Object IO.FileStream $file, 'Create', 'Write', 'None', 65536, 'WriteThrough'
    for ($n = 0; $n -lt 200; $n++) { $stream.Write($data, 0, $data.Length) }
    $stream.Close()
}
