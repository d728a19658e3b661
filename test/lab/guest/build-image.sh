#!/usr/bin/env bash
# Makes the guest's files into an empty directory: vmlinuz, initramfs.cpio and root.ext4.
# Usage: build-image.sh DIRECTORY SUITE (a Debian release's name). Needs root, mmdebstrap and a C compiler.
set -euo pipefail
out=$1
suite=$2
here=$(cd "$(dirname "$0")" && pwd)

# What the addons link and GStreamer loads, and tools that act on the kernel's devices from the other side.
packages=(
  busybox-static kmod iproute2
  libstdc++6 libasound2 libopus0 libspeexdsp1
  gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-tools
  v4l-utils alsa-utils gpiod i2c-tools
)
# Found and mounted before there is a root file system.
early_modules=(virtio_pci virtio_blk ext4)
# Drivers of hardware that no guest has: half of all modules.
foreign_drivers=(
  ata atm bluetooth crypto firewire gpu hwmon iio infiniband isdn md message mmc mtd
  net/ethernet net/wireless nfc platform scsi staging thunderbolt
)

say() { printf 'guest image: %s\n' "$*"; }
step='start'
trap 'say "$step failed" >&2' ERR

step='making the root file system (mmdebstrap)'
say "$step"
root=$out/root
# shellcheck disable=SC2016 # the hook's shell knows $1, and where apt has this suite's packages
fetch_kernel='
  set -e
  export APT_CONFIG="$MMDEBSTRAP_APT_CONFIG"
  kernel=$(apt-cache depends linux-image-amd64 | sed -n "s/^ *Depends: \(linux-image-[0-9].*\)/\1/p")
  cd "$(dirname "$1")"
  apt-get download "$kernel"
'
mmdebstrap --quiet --variant=essential --include="${packages[*]}" \
  --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
  --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/icons/*' \
  --customize-hook="$fetch_kernel" "$suite" "$root"

step='unpacking the kernel'
say "$step"
dpkg-deb -x "$out"/linux-image-*.deb "$out/kernel"
mv "$out"/kernel/boot/vmlinuz-* "$out/vmlinuz"
version=$(ls "$out/kernel/lib/modules")
for driver in "${foreign_drivers[@]}"; do
  rm -rf "$out/kernel/lib/modules/$version/kernel/drivers/$driver"
done
mkdir -p "$root/usr/lib/modules"
mv "$out/kernel/lib/modules/$version" "$root/usr/lib/modules/"
chroot "$root" depmod "$version"

step='compiling the agent'
say "$step"
cc -std=c11 -O2 -Wall -Wextra -Werror -D_GNU_SOURCE -static -o "$root/usr/sbin/agent" "$here/agent.c"
install -m 755 "$here/init.sh" "$root/init"

step="reading GStreamer's plugins"
say "$step"
# Their list is kept, so that no program in the guest has to load them all first.
HOME=/root chroot "$root" gst-inspect-1.0 --version >/dev/null
HOME=/root chroot "$root" gst-inspect-1.0 >/dev/null 2>&1

step='making the initramfs'
say "$step"
early=$root/early
mkdir -p "$early"/{bin,dev,modules,new}
cp "$root/bin/busybox" "$early/bin/"
install -m 755 "$here/early-init.sh" "$early/init"
count=100
chroot "$root" modprobe --set-version "$version" --show-depends -a "${early_modules[@]}" |
  sed -n 's/^insmod \([^ ]*\).*/\1/p' | while read -r module; do
  # In the order in which they need each other; one that two of them need comes twice, and does no harm.
  cp "$root$module" "$early/modules/$count-$(basename "$module")"
  count=$((count + 1))
done
# shellcheck disable=SC2016 # the shell in the root file system
chroot "$root" sh -c 'cd /early && find . | busybox cpio -o -H newc' >"$out/initramfs.cpio" 2>/dev/null
rm -rf "$early"

step='making the disk image (mke2fs)'
say "$step"
mke2fs -q -t ext4 -d "$root" "$out/root.ext4" 3G
rm -rf "$root" "$out/kernel" "$out"/linux-image-*.deb
