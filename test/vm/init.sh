#!/bin/busybox sh
# shellcheck shell=dash
# The first process of the virtual machine: lays a writable layer over the host's file system and goes on there. Given by
# machine.ts are the modules below /modules, in their order, and the words of the kernel's command line.
busybox mount -t proc proc /proc
busybox mount -t sysfs sys /sys
busybox mount -t devtmpfs dev /dev
for module in /modules/*.ko; do busybox insmod "$module"; done

share=trans=virtio,version=9p2000.L,msize=512000
busybox mount -t 9p -o "ro,$share,cache=loose" host /host
busybox mount -t tmpfs -o mode=755 layer /layer
busybox mkdir /layer/upper /layer/work
busybox mount -t overlay -o lowerdir=/host,upperdir=/layer/upper,workdir=/layer/work root /root
for folder in proc sys dev; do busybox mount --move "/$folder" "/root/$folder"; done
busybox mount -t tmpfs -o mode=755 run /root/run
busybox mkdir /root/run/out
busybox mount -t 9p -o "$share,cache=none" out /root/run/out
exec busybox switch_root /root /bin/bash /run/out/start
