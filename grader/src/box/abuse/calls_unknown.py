# Verdict: exit 0
from attack import *
for number in range(463, 1024):
    ctypes.set_errno(0)
    if libc.syscall(ctypes.c_long(number), 0, 0, 0, 0, 0, 0) != -1 or ctypes.get_errno() != 38:
        escaped("system call %d" % number)
