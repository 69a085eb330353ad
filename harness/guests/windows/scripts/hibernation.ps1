# Enable Windows' hibernation file.
& powercfg.exe /hibernate on | Out-Null
if ($LASTEXITCODE -ne 0) { throw ('powercfg ended with {0}' -f $LASTEXITCODE) }
