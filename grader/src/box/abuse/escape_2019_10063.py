# Verdict: exit 0
from attack import *
import pty
controller, terminal = pty.openpty()
for request in (0x5412, 0x541C):
    for high in (1 << 32, 1 << 63, 0xFFFFFFFF << 32):
        must_fail("ioctl", terminal, ctypes.c_ulong(high | request), b"\3")
