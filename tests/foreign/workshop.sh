#!/bin/sh
# Turns a raw disk of the project's own base image into another maker's.
# usage: unshare --mount workshop.sh DISK START SIZE FOLDER ROOT LABEL PACKAGES WITHOUT
# FOLDER: `files`, a tree that is copied in, and `commands`, run in the image; what a new boot
# loader is made of is left there too. START and SIZE: bytes, of the root partition.
# Everything mounted here goes with the mount namespace.
set -eu
disk=$1 start=$2 size=$3 folder=$4 root=$5 label=$6 packages=$7 without=$8
mount --make-rprivate /

enter() { # TREE COMMAND...
    DEBIAN_FRONTEND=noninteractive LVM_SUPPRESS_FD_WARNINGS=1 chroot "$@"
}

attach() { # TREE: what programs in it expect to be mounted
    for place in dev proc sys; do mount --rbind "/$place" "$1/$place"; done
    mount -t tmpfs tmpfs "$1/run"
}

device=
release() {
    [ -z "$device" ] || losetup -d "$device" # once its last mount is gone
    device=
}
trap release EXIT
trap 'exit 1' HUP INT TERM

old=$folder/old
mkdir "$old"
mount -o "loop,offset=$start,sizelimit=$size" "$disk" "$old"
attach "$old"

# Only to reach the archive, and to start nothing meanwhile.
mv "$old/etc/resolv.conf" "$old/etc/resolv.conf.kept"
cp /etc/resolv.conf "$old/etc/resolv.conf"
printf '#!/bin/sh\nexit 101\n' >"$old/usr/sbin/policy-rc.d"
chmod +x "$old/usr/sbin/policy-rc.d"

rm -f "$old/etc/cloud/cloud.cfg.d/90-network.cfg"
cp -r "$folder/files/." "$old/"
case $root in
    ext4) ;;
    lvm) echo dm_mod >>"$old/etc/initramfs-tools/modules" ;;
    *) echo "$root" >>"$old/etc/initramfs-tools/modules" ;;
esac
enter "$old" apt-get -q update
# shellcheck disable=SC2086
enter "$old" apt-get -q -y --no-install-recommends install $packages
# shellcheck disable=SC2086
[ -z "$without" ] || enter "$old" apt-get -q -y purge $without
rm "$old/etc/resolv.conf"
mv "$old/etc/resolv.conf.kept" "$old/etc/resolv.conf"
enter "$old" sh -eu -c "$(cat "$folder/commands")"
[ "$root" = ext4 ] || enter "$old" update-initramfs -u -k all

rm -r "$old/usr/sbin/policy-rc.d" "$old"/var/lib/apt/lists/* "$old"/var/cache/apt/*.bin
[ "$root" != ext4 ] || exit 0

# The rest is about another root file system: a copy of the tree in it, and its boot loader.
umount -R "$old/run" "$old/sys" "$old/proc" "$old/dev"
tree=$folder/tree
mkdir "$tree"
cp -a --sparse=always "$old" "$folder/copy"
umount "$old"
device=$(losetup --find --show --offset "$start" --sizelimit "$size" "$disk")
attach "$folder/copy"
prefix='(hd0,gpt3)/boot/grub' modules=$root source=LABEL=$label options= below=
case $root in
    xfs) enter "$folder/copy" mkfs.xfs -q -f -L "$label" "$device" ;;
    btrfs)
        enter "$folder/copy" mkfs.btrfs -q -f -L "$label" "$device"
        mount "$device" "$tree"
        mkdir -p "$folder/copy/mnt"
        mount --bind "$tree" "$folder/copy/mnt"
        enter "$folder/copy" btrfs -q subvolume create /mnt/@rootfs
        umount "$folder/copy/mnt" "$tree"
        below=/@rootfs
        prefix="(hd0,gpt3)$below/boot/grub" options=subvol=@rootfs
        ;;
    lvm)
        # Of the host's kernel this asks for no device mapper: the group's first extents are the
        # volume, and they begin at its alignment.
        enter "$folder/copy" pvcreate -q -ff -y --dataalignment 1m "$device"
        enter "$folder/copy" vgcreate -q system "$device"
        enter "$folder/copy" lvcreate --driverloaded n -q -an -Zn -Wn -l 100%FREE -n root system
        volume=$(enter "$folder/copy" lvs --noheadings --units b --nosuffix -o lv_size system)
        release
        start=$((start + 1048576)) size=$((volume))
        device=$(losetup --find --show --offset "$start" --sizelimit "$size" "$disk")
        mke2fs -q -t ext4 -O '^orphan_file,^metadata_csum_seed' "$device"
        modules='lvm ext2' source=/dev/mapper/system-root prefix='(lvm/system-root)/boot/grub'
        ;;
esac
umount -R "$folder/copy/run" "$folder/copy/sys" "$folder/copy/proc" "$folder/copy/dev"
mount ${options:+-o "$options"} "$device" "$tree"
cp -a --sparse=always "$folder/copy/." "$tree/"
rm -r "$folder/copy"

type=$root
[ "$root" != lvm ] || type=ext4
sed -i "s|^LABEL=guestcert-root .*|$source / $type ${options:-defaults} 0 1|" "$tree/etc/fstab"
sed -i -e '/^search /d' -e "s|root=LABEL=guestcert-root|root=$source${options:+ rootflags=$options}|" \
    -e "s| /vmlinuz| $below/vmlinuz|" -e "s| /initrd.img| $below/initrd.img|" \
    "$tree/boot/grub/grub.cfg"
printf 'set root=%s\n' "${prefix%%)*})" >"$tree/boot/grub/early.cfg"
# shellcheck disable=SC2086
enter "$tree" grub-mkimage -O i386-pc -o /boot/grub/core.img -p "$prefix" -c /boot/grub/early.cfg \
    biosdisk part_gpt search normal linux serial terminal configfile $modules
cp "$tree/boot/grub/core.img" "$tree/usr/lib/grub/i386-pc/boot.img" "$folder/"
umount "$tree"
