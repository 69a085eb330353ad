# A value of the registry: given are its key and its name. Nothing where there is none.
if (Test-Path -LiteralPath $given[0]) {
    $name = $given[1]
    (Get-ItemProperty -LiteralPath $given[0]).$name
}
