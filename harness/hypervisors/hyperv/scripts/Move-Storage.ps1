# Move all files of a machine into another folder of its host, whether it runs or not.
param(
    [Parameter(Mandatory = $true)] [string] $Name,
    [Parameter(Mandatory = $true)] [string] $Folder
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ConfirmPreference = 'None'

$vm = Get-VM -Name $Name
Move-VMStorage -VM $vm -DestinationStoragePath $Folder

@{ version = 1 } | ConvertTo-Json -Compress
