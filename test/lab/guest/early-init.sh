#!/bin/busybox sh
# shellcheck shell=dash
# The guest's first program: finds the disk and goes on from it.
for module in /modules/*.ko; do
  # What this processor lacks, or is there already, does not load.
  busybox insmod "$module" 2>/dev/null
done
busybox mount -t devtmpfs dev /dev
until [ -b /dev/vda ]; do busybox sleep 0.05; done
busybox mount -t ext4 -o noatime /dev/vda /new || exec busybox poweroff -f
busybox umount /dev
exec busybox switch_root /new /init
