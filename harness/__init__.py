"""guestcert: certifies guest operating systems on a hypervisor."""

__version__ = "0.1.0"
