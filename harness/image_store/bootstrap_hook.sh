#!/bin/sh
# Turns a freshly bootstrapped tree into the parts of a disk that boots by itself.
# usage: bootstrap_hook.sh TREE OUTPUT_FOLDER ROOT_MIB
# Runs inside mmdebstrap, where file owners are as the guest will see them, root or not.
set -eu
tree=$1
output=$2
root_mib=$3

# As a vendor's cloud image: nothing in it that two guests would share.
echo uninitialized > "$tree/etc/machine-id"
rm -f "$tree"/etc/ssh/ssh_host_*_key* "$tree/etc/hostname" "$tree/var/lib/dbus/machine-id"
# How the building host reaches its archive is nothing of the guest's.
rm -f "$tree/etc/apt/apt.conf.d/99mmdebstrap"
echo 'LANG=C.UTF-8' > "$tree/etc/default/locale"
printf 'LABEL=guestcert-root / ext4 errors=remount-ro 0 1\n' > "$tree/etc/fstab"
printf 'LABEL=ESP /boot/efi vfat umask=0077,nofail 0 2\n' >> "$tree/etc/fstab"
# Where the resolver is a part of systemd itself (Debian 11), nothing has turned it on.
if [ -e "$tree/lib/systemd/systemd-resolved" ]; then
    chroot "$tree" systemctl enable systemd-resolved
    ln -sf /run/systemd/resolve/stub-resolv.conf "$tree/etc/resolv.conf"
fi
printf 'datasource_list: [NoCloud, ConfigDrive, None]\n' \
    > "$tree/etc/cloud/cloud.cfg.d/90-datasources.cfg"
# Debian 11's cloud-init brings ifupdown, and prefers it, which matches no card by a pattern.
printf 'system_info: {network: {renderers: [netplan]}}\n' \
    > "$tree/etc/cloud/cloud.cfg.d/90-network.cfg"

# A lean initrd: the buses that a root disk of ours can sit on, quickly unpacked.
mkdir -p "$tree/etc/initramfs-tools/conf.d"
printf 'MODULES=list\nCOMPRESS=lz4\n' > "$tree/etc/initramfs-tools/conf.d/guestcert"
# In it, and loaded only where udev finds such a device.
cat > "$tree/etc/initramfs-tools/hooks/guestcert" <<'HOOK'
#!/bin/sh
[ "${1:-}" = prereqs ] && exit 0
. /usr/share/initramfs-tools/hook-functions
manual_add_modules virtio_pci virtio_blk virtio_scsi ext4 ahci ata_piix sd_mod nvme
HOOK
chmod +x "$tree/etc/initramfs-tools/hooks/guestcert"
chroot "$tree" update-initramfs -u -k all
# Crash dumps for whoever turns them on; else no unit fails, and a reboot goes through the firmware.
chroot "$tree" systemctl disable kdump-tools.service
echo LOAD_KEXEC=false > "$tree/etc/default/kexec"
for kernel in "$tree"/boot/vmlinuz-*; do
    version=${kernel##*/vmlinuz-}
    # In a chroot Debian 13 leaves the initrd to the guest, whose next start would wait for it.
    unshare --mount sh -eu -c '
        mount --bind "$1/bin/false" "$1/usr/bin/ischroot"
        chroot "$1" /etc/kernel/postinst.d/kdump-tools "$2"
    ' sh "$tree" "$version"
    [ -s "$tree/var/lib/kdump/initrd.img-$version" ]
    # By this the guest knows that the initrd is up to date, and does not make it anew.
    cp "$tree/etc/kdump/sysctl.conf" "$tree/var/lib/kdump/latest_sysctls-$version"
done

# One boot menu for both firmwares; Debian's own would need the disk's device at build time.
# no_timer_check as in vendors' cloud images: on a busy host without KVM the kernel's test of its
# timer else ends in a panic. Under KVM the kernel leaves that test out by itself.
mkdir -p "$tree/boot/grub" "$tree/boot/efi"
cp -r "$tree/usr/lib/grub/i386-pc" "$tree/boot/grub/"
cat > "$tree/boot/grub/grub.cfg" <<'MENU'
serial --unit=0 --speed=115200
terminal_input serial console
terminal_output serial console
set timeout=0
search --no-floppy --label guestcert-root --set=root
linux /vmlinuz root=LABEL=guestcert-root ro no_timer_check console=tty0 console=ttyS0,115200
initrd /initrd.img
boot
MENU
printf 'search --no-floppy --label guestcert-root --set=root\n' > "$tree/boot/grub/early.cfg"
chroot "$tree" grub-mkimage -O i386-pc -o /boot/grub/core.img -p '(hd0,gpt3)/boot/grub' \
    -c /boot/grub/early.cfg \
    biosdisk part_gpt ext2 search search_label normal linux serial terminal configfile
cp "$tree/boot/grub/core.img" "$tree/usr/lib/grub/i386-pc/boot.img" "$output/"
cp "$tree/usr/lib/shim/shimx64.efi.signed" "$output/shim.efi"
cp "$tree/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed" "$output/grub.efi"
chroot "$tree" dpkg-query -W > "$output/packages.txt"

# A plain bind shows the tree without what mmdebstrap has mounted into it.
unshare --mount sh -eu -c '
    mkdir -p "$2/tree"
    mount --bind "$1" "$2/tree"
    mke2fs -q -t ext4 -L guestcert-root -O ^orphan_file,^metadata_csum_seed \
        -d "$2/tree" "$2/root.ext4" "$3M"
' sh "$tree" "$output" "$root_mib"
