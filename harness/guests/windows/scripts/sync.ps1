# Write the system volume's cache down. The cmdlet came with Windows 8 and Server 2012.
Write-VolumeCache -DriveLetter $env:SystemDrive[0]
