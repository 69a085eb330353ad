# The system log of this boot, its newest 2000 entries. Kernel-General's 12 is the first of a boot.
$beginning = @{ LogName = 'System'; ProviderName = 'Microsoft-Windows-Kernel-General'; Id = 12 }
$first = Get-WinEvent -FilterHashtable $beginning -MaxEvents 1
$since = '*[System[EventRecordID >= {0}]]' -f $first.RecordId
$events = @(Get-WinEvent -LogName System -FilterXPath $since -MaxEvents 2000 | ForEach-Object {
    $text = [string]$_.Message
    if (-not $text) { $text = @($_.Properties | ForEach-Object { [string]$_.Value }) -join ' ' }
    if ($text.Length -gt 500) { $text = $text.Substring(0, 500) }
    @{
        RecordId = $_.RecordId
        Level = $_.Level
        ProviderName = $_.ProviderName
        Id = $_.Id
        Message = $text
    }
})
, $events
