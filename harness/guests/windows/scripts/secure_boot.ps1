# Whether Secure Boot is on; the cmdlet fails without UEFI. It came with Windows 8.
try {
    [bool](Confirm-SecureBootUEFI)
} catch [PlatformNotSupportedException] {
    $false
}
