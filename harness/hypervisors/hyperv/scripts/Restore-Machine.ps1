# Replace the current machine by the copy that Save-Machine made, and resume it.
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

# Checkpoints have files of the same types in another folder; hosts of 2012 R2 write XML.
$file = Get-ChildItem -LiteralPath $Source -Recurse -File |
    Where-Object { $_.Directory.Name -eq 'Virtual Machines' -and $_.Extension -in '.vmcx', '.xml' } |
    Select-Object -First 1
if (-not $file) {
    throw "no saved machine in $Source"
}
$present = @(Get-VM | Where-Object { $_.Name -eq $Name })
$present | Where-Object { $_.State -notin 'Off', 'Saved', 'OffCritical', 'SavedCritical' } | Stop-VM -TurnOff -Force
$present | Remove-VM -Force
# Hyper-V releases the files with a delay.
$limit = [System.DateTime]::UtcNow.AddSeconds(60)
while (Test-Path -LiteralPath $Folder) {
    try {
        Remove-Item -LiteralPath $Folder -Recurse -Force
    }
    catch {
        if ([System.DateTime]::UtcNow -ge $limit) {
            throw
        }
        Start-Sleep -Milliseconds 200
    }
}
$vm = Import-VM -Path $file.FullName -Copy -VirtualMachinePath $Folder -VhdDestinationPath $Folder -SnapshotFilePath $Folder -SmartPagingFilePath $Folder
Set-VM -VM $vm -Notes $Notes
Start-VM -VM $vm
if ($Paused) {
    Suspend-VM -VM $vm
}

@{ version = 1 } | ConvertTo-Json -Compress
