# Put the copy that Save-Machine made in the place of the present machine, and let it go on.
param(
    [Parameter(Mandatory = $true)] [string] $Name,
    [Parameter(Mandatory = $true)] [string] $Source,
    [Parameter(Mandatory = $true)] [string] $Folder,
    [Parameter(Mandatory = $true)] [string] $Notes,
    [Parameter(Mandatory = $true)] [bool] $Paused
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ConfirmPreference = 'None'

$file = Get-ChildItem -LiteralPath $Source -Recurse -Filter '*.vmcx' | Select-Object -First 1
if (-not $file) {
    throw "there is no saved machine in $Source"
}
Get-VM | Where-Object { $_.Name -eq $Name } | Remove-VM -Force
if (Test-Path -LiteralPath $Folder) {
    Remove-Item -LiteralPath $Folder -Recurse -Force
}
$vm = Import-VM -Path $file.FullName -Copy -VirtualMachinePath $Folder -VhdDestinationPath $Folder -SnapshotFilePath $Folder -SmartPagingFilePath $Folder
Set-VM -VM $vm -Notes $Notes
Start-VM -VM $vm
if ($Paused) {
    Suspend-VM -VM $vm
}

@{ version = 1 } | ConvertTo-Json -Compress
