# Connect to the pipe of a machine's serial port; it stays open until this runspace ends.
param(
    [Parameter(Mandatory = $true)] [string] $Pipe,
    [Parameter(Mandatory = $true)] [int] $Milliseconds
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ConfirmPreference = 'None'

$direction = [System.IO.Pipes.PipeDirection]::InOut
$options = [System.IO.Pipes.PipeOptions]::Asynchronous
$stream = New-Object -TypeName System.IO.Pipes.NamedPipeClientStream -ArgumentList '.', $Pipe, $direction, $options
$stream.Connect($Milliseconds)
$buffer = New-Object -TypeName byte[] -ArgumentList 16384
if (-not (Get-Variable -Scope Global -Name GuestcertConsoles -ErrorAction SilentlyContinue)) {
    $global:GuestcertConsoles = @{}
}
$global:GuestcertConsoles[$Pipe] = @{
    stream = $stream
    buffer = $buffer
    reading = $stream.ReadAsync($buffer, 0, $buffer.Length)
}

@{ version = 1 } | ConvertTo-Json -Compress
