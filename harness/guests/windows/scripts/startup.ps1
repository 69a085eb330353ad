# How long the last start took by Windows' own account of it: event 100 of its performance log.
$log = @{ LogName = 'Microsoft-Windows-Diagnostics-Performance/Operational'; Id = 100 }
$start = Get-WinEvent -FilterHashtable $log -MaxEvents 1 -ErrorAction SilentlyContinue
$began = [DateTime]::Now.AddMilliseconds(-([Environment]::TickCount -band 4294967295))
if ($start -and $start.TimeCreated -ge $began) {
    $told = @{}
    foreach ($item in ([xml]$start.ToXml()).Event.EventData.Data) {
        $told[$item.Name] = $item.'#text'
    }
    @{ kernel = [int64]$told.MainPathBootTime; services = [int64]$told.BootPostBootTime }
}
