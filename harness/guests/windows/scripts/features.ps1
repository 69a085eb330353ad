# Given: numbers of processor features. Those that Windows finds.
Add-Type @'
using System.Runtime.InteropServices;
public static class Features {
    [DllImport("kernel32.dll")]
    public static extern bool IsProcessorFeaturePresent(uint feature);
}
'@
@{
    build = [int](Get-Instance 'root\cimv2' 'Win32_OperatingSystem').BuildNumber
    found = @($given | Where-Object { [Features]::IsProcessorFeaturePresent([uint32]$_) })
}
