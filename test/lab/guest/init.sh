#!/bin/sh
# The guest's init: mounts what programs expect, brings the network up, and becomes the agent.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8

mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs tmp /tmp
mount -t tmpfs run /run
mkdir -p /dev/pts /dev/shm
mount -t devpts pts /dev/pts
mount -t tmpfs shm /dev/shm
mount -t debugfs debug /sys/kernel/debug
ln -s /proc/self/fd /dev/fd
modprobe -a virtio_console virtio_net 9pnet_virtio 9p configfs
mount -t configfs config /sys/kernel/config

hostname guest
ip link set lo up
ip link set eth0 up
ip addr add 10.0.2.15/24 dev eth0
ip route add default via 10.0.2.2
printf '127.0.0.1 localhost guest\n' >/etc/hosts
printf 'nameserver 10.0.2.3\n' >/etc/resolv.conf

for port in /sys/class/virtio-ports/*; do
  if [ "$(cat "$port/name")" = agent ]; then exec agent "/dev/${port##*/}"; fi
done
echo 'init: there is no port for the agent'
exec busybox poweroff -f
