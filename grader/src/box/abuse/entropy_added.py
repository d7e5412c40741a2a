# Verdict: exit 0
from attack import *
import fcntl
for name in ("random", "urandom"):
    file = os.open("/dev/" + name, os.O_RDWR)
    for request in (0x40045201, 0x40085203, 0x5204, 0x5206, 0x5207):
        must_raise("request %x to %s" % (request, name), fcntl.ioctl, file, request, bytes(16))
