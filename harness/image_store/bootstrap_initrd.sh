#!/bin/sh
# Shapes the initrds of a tree, before its kernel is installed: crash dumps' initrd takes after it.
# usage: bootstrap_initrd.sh TREE
set -eu
tree=$1

# A lean initrd: the buses of root disks only, quick to unpack.
mkdir -p "$tree/etc/initramfs-tools/conf.d" "$tree/etc/initramfs-tools/hooks"
printf 'MODULES=list\nCOMPRESS=lz4\n' > "$tree/etc/initramfs-tools/conf.d/guestcert"
# In it, and loaded only where udev finds such a device.
cat > "$tree/etc/initramfs-tools/hooks/guestcert" <<'HOOK'
#!/bin/sh
[ "${1:-}" = prereqs ] && exit 0
. /usr/share/initramfs-tools/hook-functions
manual_add_modules virtio_pci virtio_blk virtio_scsi ext4 ahci ata_piix sd_mod nvme
HOOK
chmod +x "$tree/etc/initramfs-tools/hooks/guestcert"
