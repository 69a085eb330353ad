# Given: key and name of a registry value. Null where it does not exist.
if (Test-Path -LiteralPath $given[0]) {
    $name = $given[1]
    (Get-ItemProperty -LiteralPath $given[0]).$name
}
