# Given: an argument, which the loader passes to the kernel; it replaces the one set before.
& bcdedit.exe /set '{current}' loadoptions $given[0] | Out-Null
if ($LASTEXITCODE -ne 0) { throw ('bcdedit ended with {0}' -f $LASTEXITCODE) }
