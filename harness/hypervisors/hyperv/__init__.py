"""Microsoft Hyper-V over PowerShell remoting: the only place that speaks to Windows hosts."""
