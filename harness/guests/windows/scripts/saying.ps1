# Given: output, errors, exit status. Print the two, and exit with the third.
[Console]::Out.Write($given[0] + [char]10)
[Console]::Error.Write($given[1] + [char]10)
exit ([int]$given[2])
