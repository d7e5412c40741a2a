# Verdict: exit 0
from attack import *
import stat
must_raise("character device", os.mknod, "/tmp/mem", stat.S_IFCHR | 0o666, os.makedev(1, 1))
must_raise("block device", os.mknod, "/tmp/disk", stat.S_IFBLK | 0o666, os.makedev(254, 0))
for name in ("mem", "kmem", "kmsg", "port", "fuse", "kvm", "net/tun", "vda", "sda", "loop-control", "loop0"):
    must_raise(name, open, "/dev/" + name, "rb")
if not set(os.listdir("/dev")) <= set("core fd full null ptmx pts random shm stderr stdin stdout tty urandom zero console".split()):
    escaped("other devices: " + " ".join(os.listdir("/dev")))
