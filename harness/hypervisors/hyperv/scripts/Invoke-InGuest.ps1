# Run a program in a running Windows guest as one of its users, over the machine's bus.
param(
    [Parameter(Mandatory = $true)] [string] $Name,
    [Parameter(Mandatory = $true)] [pscredential] $Credential,
    [Parameter(Mandatory = $true)] [string] $Program,
    [Parameter(Mandatory = $true)] [AllowEmptyString()] [string] $Line,
    [Parameter(Mandatory = $true)] [AllowEmptyString()] [string] $Data,
    [Parameter(Mandatory = $true)] [int] $Milliseconds,
    [string[]] $Variables
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ConfirmPreference = 'None'

$work = {
    param($program, $line, $data, $milliseconds, $variables)
    $ErrorActionPreference = 'Stop'
    $start = New-Object -TypeName System.Diagnostics.ProcessStartInfo
    $start.FileName = $program
    $start.Arguments = $line
    $start.UseShellExecute = $false
    $start.CreateNoWindow = $true
    $start.RedirectStandardInput = $true
    $start.RedirectStandardOutput = $true
    $start.RedirectStandardError = $true
    foreach ($variable in $variables) {
        $at = $variable.IndexOf('=')
        $start.EnvironmentVariables[$variable.Substring(0, $at)] = $variable.Substring($at + 1)
    }
    try {
        $process = [System.Diagnostics.Process]::Start($start)
    }
    catch {
        return @{ end = 'not started'; message = $_.Exception.Message; status = 0; output = ''; errors = '' }
    }
    $clock = [System.Diagnostics.Stopwatch]::StartNew()
    $output = New-Object -TypeName System.IO.MemoryStream
    $errors = New-Object -TypeName System.IO.MemoryStream
    [System.Threading.Tasks.Task[]] $copies = @(
        $process.StandardOutput.BaseStream.CopyToAsync($output)
        $process.StandardError.BaseStream.CopyToAsync($errors)
    )
    $bytes = [System.Convert]::FromBase64String($data)
    try {
        # A program that does not read its input must not delay the time limit.
        if ($process.StandardInput.BaseStream.WriteAsync($bytes, 0, $bytes.Length).Wait($milliseconds)) {
            $process.StandardInput.Close()
        }
    }
    catch {
        # The program ended without reading all its input, which is not an error.
    }
    $left = [System.Math]::Max(0, $milliseconds - $clock.ElapsedMilliseconds)
    $ended = $process.WaitForExit([int] $left)
    if (-not $ended) {
        # With its child processes, which would keep its output open.
        $killer = [System.Diagnostics.Process]::Start('taskkill.exe', "/T /F /PID $($process.Id)")
        $killer.WaitForExit()
        $process.WaitForExit()
    }
    $null = [System.Threading.Tasks.Task]::WaitAll($copies, 5000)
    @{
        end = if ($ended) { 'ended' } else { 'killed' }
        message = ''
        status = $process.ExitCode
        output = [System.Convert]::ToBase64String($output.ToArray())
        errors = [System.Convert]::ToBase64String($errors.ToArray())
    }
}
$answer = Invoke-Command -VMName $Name -Credential $Credential -ScriptBlock $work -ArgumentList $Program, $Line, $Data, $Milliseconds, $Variables

@{
    version = 1
    end = $answer.end
    message = $answer.message
    status = $answer.status
    output = $answer.output
    errors = $answer.errors
} | ConvertTo-Json -Compress
