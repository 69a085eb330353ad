# Move a machine with all its files to another host, whether it runs or not.
param(
    [Parameter(Mandatory = $true)] [string] $Name,
    [Parameter(Mandatory = $true)] [string] $Destination,
    [Parameter(Mandatory = $true)] [string] $Folder
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ConfirmPreference = 'None'

$vm = Get-VM -Name $Name
Move-VM -VM $vm -DestinationHost $Destination -IncludeStorage -DestinationStoragePath $Folder

@{ version = 1 } | ConvertTo-Json -Compress
