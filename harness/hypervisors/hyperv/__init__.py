"""Microsoft Hyper-V over PowerShell remoting: the only package that connects to Windows hosts."""
