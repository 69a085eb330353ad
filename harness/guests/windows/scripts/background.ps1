# Prepended to each carried program: Write-Event writes a line of JSON through to its output.
$ErrorActionPreference = 'Stop'
$output = New-Object IO.FileStream $env:GUESTCERT_OUTPUT, 'Create', 'Write', 7, 4096, 'WriteThrough'

function Write-Event($Name, $Value) {
    if ($Value -isnot [int]) {
        $Value = '"' + ([string]$Value -replace '[^ !#-\[\]-~]', '?') + '"'
    }
    $text = '{{"event": "{0}", "value": {1}}}' -f $Name, $Value
    $line = [Text.Encoding]::ASCII.GetBytes($text + [char]10)
    $output.Write($line, 0, $line.Length)
    $output.Flush()
}
