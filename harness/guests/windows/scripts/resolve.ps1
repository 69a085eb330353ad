# Given: a name. Its addresses, by the guest's own resolver.
$found = @()
try {
    $found = @([Net.Dns]::GetHostAddresses($given[0]) | ForEach-Object { $_.IPAddressToString })
} catch [Management.Automation.MethodInvocationException] {
    if ($_.Exception.InnerException -isnot [Net.Sockets.SocketException]) { throw }
}
, $found
