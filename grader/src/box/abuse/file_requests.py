# Verdict: exit 0
from attack import *
import fcntl
file = os.open("/usr/bin/env", os.O_RDONLY)
for request, value in ((0x40086602, b"\x10" + bytes(7)), (0x40049409, bytes(4)), (0xC0045877, bytes(4)), (0xC0185879, bytes(24)), (0x401C5820, bytes(28))):
    must_raise("request %x" % request, fcntl.ioctl, file, request, value)
