# Milliseconds since 1970.
([DateTime]::UtcNow - (New-Object DateTime 1970, 1, 1)).TotalMilliseconds
