# The duration of the last start, by event 100 of Windows' own performance log.
$log = @{ LogName = 'Microsoft-Windows-Diagnostics-Performance/Operational'; Id = 100 }
$start = Get-WinEvent -FilterHashtable $log -MaxEvents 1 -ErrorAction SilentlyContinue
$booted = [DateTime]::Now.AddMilliseconds(-([Environment]::TickCount -band 4294967295))
if ($start -and $start.TimeCreated -ge $booted) {
    $values = @{}
    foreach ($item in ([xml]$start.ToXml()).Event.EventData.Data) {
        $values[$item.Name] = $item.'#text'
    }
    @{ kernel = [int64]$values.MainPathBootTime; services = [int64]$values.BootPostBootTime }
}
