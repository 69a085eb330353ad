# The instances of a CIM class: given are namespace, class, filter and the properties' names.
$names = $given[3..($given.Count - 1)]
$found = @(Get-Instance $given[0] $given[1] $given[2] | ForEach-Object {
    $instance = $_
    $one = @{}
    foreach ($name in $names) { $one[$name] = $instance.$name }
    $one
})
, $found
