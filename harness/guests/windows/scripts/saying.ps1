# Say what is given on both streams, and end with the status that is given.
[Console]::Out.Write($given[0] + [char]10)
[Console]::Error.Write($given[1] + [char]10)
exit ([int]$given[2])
