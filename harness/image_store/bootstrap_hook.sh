#!/bin/sh
# Turns a freshly bootstrapped tree into the parts of a disk that boots by itself.
# usage: bootstrap_hook.sh TREE OUTPUT_FOLDER ROOT_MIB
# Runs inside mmdebstrap, where file owners are as the guest will see them, root or not.
set -eu
tree=$1
output=$2
root_mib=$3

case $(chroot "$tree" dpkg --print-architecture) in
    amd64) efi=x64 grub=x86_64-efi bios=i386-pc console=ttyS0 ;;
    i386) efi=ia32 grub=i386-efi bios=i386-pc console=ttyS0 ;;
    arm64) efi=aa64 grub=arm64-efi bios= console=ttyAMA0 ;;
esac

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

# Once more, now that all that shapes it is there.
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
    # By this the guest knows that the initrd is up to date, and does not rebuild it.
    cp "$tree/etc/kdump/sysctl.conf" "$tree/var/lib/kdump/latest_sysctls-$version"
done

# One boot menu for both firmwares; Debian's own would need the disk's device at build time.
# no_timer_check as in vendors' cloud images: on a busy host without KVM the kernel's test of its
# timer else ends in a panic. Under KVM the kernel leaves that test out by itself.
mkdir -p "$tree/boot/grub" "$tree/boot/efi"
{
    if [ -n "$bios" ]; then
        echo 'serial --unit=0 --speed=115200'
        echo 'terminal_input serial console'
        echo 'terminal_output serial console'
    fi
    cat <<MENU
set timeout=0
search --no-floppy --label guestcert-root --set=root
linux /vmlinuz root=LABEL=guestcert-root ro no_timer_check console=tty0 console=$console,115200
initrd /initrd.img
boot
MENU
} > "$tree/boot/grub/grub.cfg"
if [ -n "$bios" ]; then
    cp -r "$tree/usr/lib/grub/$bios" "$tree/boot/grub/"
    printf 'search --no-floppy --label guestcert-root --set=root\n' > "$tree/boot/grub/early.cfg"
    chroot "$tree" grub-mkimage -O "$bios" -o /boot/grub/core.img -p '(hd0,gpt3)/boot/grub' \
        -c /boot/grub/early.cfg \
        biosdisk part_gpt ext2 search search_label normal linux serial terminal configfile
    cp "$tree/boot/grub/core.img" "$tree/usr/lib/grub/$bios/boot.img" "$output/"
fi
# The EFI system partition: where firmware looks on any disk, and where Debian's signed GRUB looks.
mkdir -p "$output/EFI/BOOT" "$output/EFI/debian"
cp "$tree/usr/lib/shim/shim$efi.efi.signed" "$output/EFI/debian/shim$efi.efi"
cp "$tree/usr/lib/grub/$grub-signed/grub$efi.efi.signed" "$output/EFI/debian/grub$efi.efi"
cp "$output/EFI/debian/shim$efi.efi" "$output/EFI/BOOT/BOOT$(echo $efi | tr a-z A-Z).EFI"
cp "$output/EFI/debian/grub$efi.efi" "$output/EFI/BOOT/"
cat > "$output/EFI/debian/grub.cfg" <<'MENU'
search --no-floppy --label guestcert-root --set=root
set prefix=($root)/boot/grub
configfile $prefix/grub.cfg
MENU
chroot "$tree" dpkg-query -W > "$output/packages.txt"

# A plain bind shows the tree without what mmdebstrap has mounted into it.
unshare --mount sh -eu -c '
    mkdir -p "$2/tree"
    mount --bind "$1" "$2/tree"
    mke2fs -q -t ext4 -L guestcert-root -O ^orphan_file,^metadata_csum_seed \
        -d "$2/tree" "$2/root.ext4" "$3M"
' sh "$tree" "$output" "$root_mib"
