"""Windows guests: PowerShell and CIM.

Windows 7 and Server 2008 R2 with their PowerShell 2.0 are the oldest supported; an operation that
needs a newer Windows raises NotApplicable there, and names what is missing.
"""
