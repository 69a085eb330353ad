# Have the loader hand an argument to the kernel; it takes the place of the one set before.
& bcdedit.exe /set '{current}' loadoptions $given[0] | Out-Null
if ($LASTEXITCODE -ne 0) { throw ('bcdedit ended with {0}' -f $LASTEXITCODE) }
