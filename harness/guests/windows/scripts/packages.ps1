# Installed software: updates by CIM, programs by the registry (a WMI query of programs would start
# repairing them). Given: the most characters of the whole list.
$left = [int]$given[0]
$found = @(Get-Instance 'root\cimv2' 'Win32_QuickFixEngineering' | ForEach-Object { $_.HotFixID })
$native = 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall'
$foreign = 'HKLM:\SOFTWARE\WOW6432Node\Microsoft\Windows\CurrentVersion\Uninstall'
foreach ($key in $native, $foreign) {
    if (-not (Test-Path -LiteralPath $key)) { continue }
    foreach ($program in Get-ChildItem -LiteralPath $key) {
        $known = Get-ItemProperty -LiteralPath $program.PSPath
        if ($known.DisplayName) { $found += '{0} {1}' -f $known.DisplayName, $known.DisplayVersion }
    }
}
$kept = @($found | Where-Object { $left -= ([string]$_).Length + 1; $left -ge 0 })
, $kept
