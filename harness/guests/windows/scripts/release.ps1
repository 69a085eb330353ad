# The Windows release: product and edition by the registry, build and kind by CIM. The registry
# calls Windows 11 a Windows 10; the build number differs.
$key = 'HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion'
$known = Get-ItemProperty -LiteralPath $key
$machine = 'HKLM:\SYSTEM\CurrentControlSet\Control\Session Manager\Environment'
$os = Get-Instance 'root\cimv2' 'Win32_OperatingSystem'
@{
    product = [string]$known.ProductName
    edition = [string]$known.EditionID
    revision = [int]$known.UBR
    caption = [string]$os.Caption
    version = [string]$os.Version
    build = [int]$os.BuildNumber
    kind = [int]$os.ProductType
    architecture = [string](Get-ItemProperty -LiteralPath $machine).PROCESSOR_ARCHITECTURE
}
