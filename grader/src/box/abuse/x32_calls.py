# Verdict: exit 0
from attack import *
if os.uname().machine == "x86_64" and libc.syscall(ctypes.c_long(0x40000000 | 39)) > 0:
    escaped("a system call of the x32 kind")
