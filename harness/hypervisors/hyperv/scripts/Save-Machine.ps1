# Save a running machine's memory and devices, and keep a copy of it and its disks in a folder.
param(
    [Parameter(Mandatory = $true)] [string] $Name,
    [Parameter(Mandatory = $true)] [string] $Folder,
    [Parameter(Mandatory = $true)] [string] $Notes
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ConfirmPreference = 'None'

if (Test-Path -LiteralPath $Folder) {
    Remove-Item -LiteralPath $Folder -Recurse -Force
}
$null = New-Item -ItemType Directory -Force -Path $Folder
Set-Content -LiteralPath (Join-Path -Path $Folder -ChildPath 'owner.json') -Value $Notes -Encoding UTF8
$vm = Get-VM -Name $Name
Save-VM -VM $vm
Export-VM -VM $vm -Path $Folder
# The copy holds the memory: the machine itself is now off.
Remove-VMSavedState -VMName $Name

@{ version = 1 } | ConvertTo-Json -Compress
