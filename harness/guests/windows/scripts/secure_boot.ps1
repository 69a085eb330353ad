# Whether Secure Boot is on; the cmdlet refuses where there is no UEFI. It came with Windows 8.
try {
    [bool](Confirm-SecureBootUEFI)
} catch [PlatformNotSupportedException] {
    $false
}
