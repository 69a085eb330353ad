# Milliseconds since the start, which wrap around after 49 days.
[Environment]::TickCount -band 4294967295
