# The state of Setup, and the services that are being started.
@{
    setup = (Get-ItemProperty -LiteralPath 'HKLM:\SYSTEM\Setup').SystemSetupInProgress
    starting = @(Get-Instance 'root\cimv2' 'Win32_Service' 'State = "Start Pending"' |
        ForEach-Object { $_.Name })
}
