# Facts of the host without the Hyper-V module, so that its absence can be reported.
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ConfirmPreference = 'None'

$system = Get-CimInstance -ClassName Win32_OperatingSystem
$computer = Get-CimInstance -ClassName Win32_ComputerSystem
$processor = Get-CimInstance -ClassName Win32_Processor | Select-Object -First 1
$module = Get-Module -ListAvailable -Name Hyper-V |
    Sort-Object -Property Version -Descending | Select-Object -First 1
# Services rather than modules: desktops with the administration tools have the modules too.
$servers = @()
try {
    $services = @(Get-Service -Name 'vmms', 'DHCPServer', 'DNS' -ErrorAction SilentlyContinue)
    $service = $services | Where-Object { $_.Name -eq 'vmms' } | ForEach-Object { $_.Status.ToString() }
    $servers = @(
        $services | Where-Object { $_.Name -ne 'vmms' -and $_.Status -eq 'Running' } |
            ForEach-Object { $_.Name }
    )
}
catch {
    # Windows lists its services remotely to administrators only.
    $service = 'Hidden'
}

$identity = [System.Security.Principal.WindowsIdentity]::GetCurrent()
$principal = New-Object -TypeName System.Security.Principal.WindowsPrincipal -ArgumentList $identity
# The well-known group Hyper-V Administrators, independent of the host's language.
$group = New-Object -TypeName System.Security.Principal.SecurityIdentifier -ArgumentList 'S-1-5-32-578'
$administrator = [System.Security.Principal.WindowsBuiltInRole]::Administrator

@{
    version = 1
    name = if ($computer.PartOfDomain) { "$($computer.DNSHostName).$($computer.Domain)" } else { $computer.DNSHostName }
    system = $system.Caption
    build = $system.Version
    powershell = $PSVersionTable.PSVersion.ToString()
    processor = $processor.Name
    architecture = $system.OSArchitecture
    hypervisor = [bool] $computer.HypervisorPresent
    module = if ($module) { $module.Version.ToString() } else { $null }
    service = if ($service) { $service } else { $null }
    user = $identity.Name
    administrator = $principal.IsInRole($administrator) -or $principal.IsInRole($group)
    servers = $servers
} | ConvertTo-Json -Compress
