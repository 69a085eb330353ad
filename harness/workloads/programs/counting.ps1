# Raise a number five times a second, for half an hour.
for ($n = 1; $n -le 9000; $n++) {
    Write-Event 'count' $n
    Start-Sleep -Milliseconds 200
}
