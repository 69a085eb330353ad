# Prepended to every script. Values are passed on standard input ($given), each as a line of a colon
# and base64; the answer is one line of JSON in ASCII, so that the guest's code page does not
# matter. It is written for PowerShell 2.0, which has no CIM cmdlet and no ConvertTo-Json.
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'

$given = @($input | Where-Object { $_ } | ForEach-Object {
    [Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($_.Substring(1)))
})

function Protect-Text($Text) {
    [regex]::Replace($Text, '[^ !#-\[\]-~]', { param($m) '\u{0:x4}' -f [int][char]$m.Value })
}

function ConvertTo-Answer($Value) {
    $plain = [Globalization.CultureInfo]::InvariantCulture
    if ($null -eq $Value) { return 'null' }
    if ($Value -is [bool]) { return $Value.ToString().ToLowerInvariant() }
    if ($Value -is [DateTime]) { $Value = $Value.ToUniversalTime().ToString('o', $plain) }
    if ($Value -is [string] -or $Value -is [char]) {
        return '"' + (Protect-Text ([string]$Value)) + '"'
    }
    if ($Value -is [enum]) { $Value = [int64]$Value }
    if ($Value -is [ValueType]) { return $Value.ToString($plain) }
    if ($Value -is [Collections.IDictionary]) {
        $parts = @($Value.Keys | ForEach-Object {
            (ConvertTo-Answer ([string]$_)) + ':' + (ConvertTo-Answer $Value[$_])
        })
        return '{' + ($parts -join ',') + '}'
    }
    if ($Value -is [Collections.IEnumerable]) {
        $parts = @($Value | ForEach-Object { ConvertTo-Answer $_ })
        return '[' + ($parts -join ',') + ']'
    }
    ConvertTo-Answer ([string]$Value)
}

function Get-Instance($Namespace, $Class, $Filter) {
    $query = @{ Namespace = $Namespace }
    if ($Filter) { $query.Filter = $Filter }
    if (Get-Command Get-CimInstance -ErrorAction SilentlyContinue) {
        return Get-CimInstance -ClassName $Class @query
    }
    # PowerShell 2.0's cmdlet, which came with Windows 7.
    Get-WmiObject -Class $Class @query
}

function Get-Lack($Failure) {
    $id = [string]$Failure.FullyQualifiedErrorId
    if ($id -like 'CommandNotFoundException*') { return [string]$Failure.TargetObject }
    # A namespace or a class that does not exist, as CIM's cmdlets and WMI's report it.
    $code = [string]$Failure.Exception.ErrorCode
    $absent = $id -match '^HRESULT 0x800410(0e|10)'
    if ($absent -or 'InvalidNamespace', 'InvalidClass' -contains $code) {
        return [string]$Failure.Exception.Message
    }
}

function Write-Answer($Script) {
    $code = 0
    try {
        $result = @{ answer = & $Script }
    } catch {
        $code = 1
        $result = @{ error = [string]$_.Exception.Message; lacks = Get-Lack $_ }
    }
    [Console]::Out.WriteLine((ConvertTo-Answer $result))
    exit $code
}
