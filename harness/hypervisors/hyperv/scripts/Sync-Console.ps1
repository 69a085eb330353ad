# Write to the console that Open-Console opened, then wait for the guest's output.
param(
    [Parameter(Mandatory = $true)] [string] $Pipe,
    [Parameter(Mandatory = $true)] [AllowEmptyString()] [string] $Data,
    [Parameter(Mandatory = $true)] [int] $Milliseconds
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ConfirmPreference = 'None'

$console = $global:GuestcertConsoles[$Pipe]
$bytes = [System.Convert]::FromBase64String($Data)
if ($bytes.Length -gt 0) {
    $console.stream.Write($bytes, 0, $bytes.Length)
    $console.stream.Flush()
}
$output = ''
$open = $true
if ($console.reading.Wait($Milliseconds)) {
    $count = $console.reading.Result
    if ($count -gt 0) {
        $output = [System.Convert]::ToBase64String($console.buffer, 0, $count)
        $console.reading = $console.stream.ReadAsync($console.buffer, 0, $console.buffer.Length)
    }
    else {
        $open = $false
    }
}

@{ version = 1; data = $output; open = $open } | ConvertTo-Json -Compress
