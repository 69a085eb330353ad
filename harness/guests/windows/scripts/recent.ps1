# The newest entries of the system's and the applications' logs, for human readers.
foreach ($log in 'System', 'Application') {
    Get-WinEvent -LogName $log -MaxEvents 200 | Sort-Object RecordId | ForEach-Object {
        $text = ([string]$_.Message) -replace '\s+', ' '
        $when = $_.TimeCreated.ToUniversalTime().ToString('o')
        $line = @($when, $log, $_.Level, $_.ProviderName, $_.Id, $text) -join ' '
        [Console]::Out.WriteLine((Protect-Text $line))
    }
}
