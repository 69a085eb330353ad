# Milliseconds since the start, which go round after 49 days.
[Environment]::TickCount -band 4294967295
