# Have Windows keep a file to sleep to.
& powercfg.exe /hibernate on | Out-Null
if ($LASTEXITCODE -ne 0) { throw ('powercfg ended with {0}' -f $LASTEXITCODE) }
