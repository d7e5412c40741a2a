# Verdict: exit 0
from attack import *
for name in "mem kmem port cpu/0/msr hpet rtc0 uinput vhost-net vhost-vsock vfio/vfio userfaultfd hwrng snapshot watchdog btrfs-control mapper/control rfkill kvm net/tun fuse loop0 loop-control sda vda nvme0 tty0 console tty1 vcs ptp0 dma_heap/system uhid input/event0 snd/seq video0 nvram mcelog cuse".split():
    must_raise("/dev/" + name, os.open, "/dev/" + name, os.O_RDONLY | os.O_NONBLOCK)
