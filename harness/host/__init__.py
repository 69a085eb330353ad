"""The hypervisor's host, observed. It is this host: a libvirt of another one is refused."""
