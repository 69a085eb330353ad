"""The integration services of a guest: one contract, an implementation for each hypervisor."""
