"""QEMU/KVM through libvirt: the only place that imports libvirt."""
