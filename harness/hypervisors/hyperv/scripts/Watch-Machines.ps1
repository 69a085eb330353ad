# Wait until a machine's state differs from the known one, or Hyper-V logs an event of a machine.
param(
    [Parameter(Mandatory = $true)] [string] $Prefix,
    [Parameter(Mandatory = $true)] [AllowEmptyString()] [string] $Known,
    [Parameter(Mandatory = $true)] [long] $After,
    [Parameter(Mandatory = $true)] [int] $Milliseconds
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ConfirmPreference = 'None'

$log = 'Microsoft-Windows-Hyper-V-Worker-Admin'
$limit = [System.DateTime]::UtcNow.AddMilliseconds($Milliseconds)
do {
    $machines = @(Get-VM | Where-Object { $_.Name.StartsWith($Prefix, [System.StringComparison]::Ordinal) } | Sort-Object -Property Name)
    $states = @($machines | ForEach-Object { "$($_.Name)=$($_.State)" })
    $query = "*[System[EventRecordID > $After]]"
    $records = @()
    try {
        # The newest record is the start of the next call.
        $records = @(
            if ($After -lt 0) {
                Get-WinEvent -LogName $log -MaxEvents 1
            }
            else {
                Get-WinEvent -LogName $log -FilterXPath $query -Oldest
            }
        )
    }
    catch {
        # An empty result is fine; a refusal to read the log is an error.
        if ($_.FullyQualifiedErrorId -notlike 'NoMatchingEventsFound,*') {
            throw
        }
    }
    $changed = ($states -join ';') -ne $Known -or $records.Count -gt 0 -or $After -lt 0
    if (-not $changed) {
        Start-Sleep -Milliseconds 200
    }
} until ($changed -or [System.DateTime]::UtcNow -ge $limit)

# A record's message names the machine by its id, in every language.
$names = @{}
foreach ($vm in $machines) {
    $names[$vm.Id.ToString()] = $vm.Name
}
$happened = @(
    foreach ($record in $records | Where-Object { $After -ge 0 }) {
        foreach ($id in $names.Keys) {
            if ($record.Message -like "*$id*") {
                @{ machine = $names[$id]; event = $record.Id }
            }
        }
    }
)
$last = [System.Math]::Max($After, 0)
if ($records.Count -gt 0) {
    $last = $records[-1].RecordId
}

@{ version = 1; states = $states; events = $happened; last = $last } | ConvertTo-Json -Compress -Depth 4
