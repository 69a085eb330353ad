# A MiB of random bytes to the output, its digest to the errors.
$data = New-Object byte[] 1048576
([Security.Cryptography.RandomNumberGenerator]::Create()).GetBytes($data)
$digest = ([Security.Cryptography.SHA256]::Create()).ComputeHash($data)
[Console]::Error.Write([BitConverter]::ToString($digest).Replace('-', '').ToLowerInvariant())
$stream = [Console]::OpenStandardOutput()
$stream.Write($data, 0, $data.Length)
$stream.Flush()
