# A MiB of random bytes to standard output, its digest to standard error.
$data = New-Object byte[] 1048576
([Security.Cryptography.RandomNumberGenerator]::Create()).GetBytes($data)
$digest = ([Security.Cryptography.SHA256]::Create()).ComputeHash($data)
[Console]::Error.Write([BitConverter]::ToString($digest).Replace('-', '').ToLowerInvariant())
$stream = [Console]::OpenStandardOutput()
$stream.Write($data, 0, $data.Length)
$stream.Flush()
