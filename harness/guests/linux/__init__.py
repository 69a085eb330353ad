"""Linux guests: scripts in a POSIX shell, and the kernel's own files."""
