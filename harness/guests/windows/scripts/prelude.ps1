# Stands before every script of ours. Values come in on standard input ($given), each as a line of
# a colon and base64; the answer goes out as one line of JSON in ASCII, so that no code page of the
# guest's matters. It is written for PowerShell 2.0, which has no CIM cmdlet and no ConvertTo-Json.
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
    # What PowerShell 2.0 has for it; Windows 7 came with that.
    Get-WmiObject -Class $Class @query
}

function Get-Lack($Failure) {
    $id = [string]$Failure.FullyQualifiedErrorId
    if ($id -like 'CommandNotFoundException*') { return [string]$Failure.TargetObject }
    # A namespace or a class that is not there, as CIM's cmdlets tell it and as WMI's does.
    $code = [string]$Failure.Exception.ErrorCode
    $absent = $id -match '^HRESULT 0x800410(0e|10)'
    if ($absent -or 'InvalidNamespace', 'InvalidClass' -contains $code) {
        return [string]$Failure.Exception.Message
    }
}

function Write-Answer($Script) {
    $code = 0
    try {
        $said = @{ answer = & $Script }
    } catch {
        $code = 1
        $said = @{ error = [string]$_.Exception.Message; lacks = Get-Lack $_ }
    }
    [Console]::Out.WriteLine((ConvertTo-Answer $said))
    exit $code
}
