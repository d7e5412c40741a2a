# Verdict: exit 0
from attack import *
for number in (-1, -2**31, 2**31, 2**32, 2**32 + 165, 2**63 - 1):
    ctypes.set_errno(0)
    if libc.syscall(ctypes.c_long(number), b"none", b"/tmp", b"tmpfs", 0, None) == 0:
        escaped("system call %d" % number)
