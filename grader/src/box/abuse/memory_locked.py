# Verdict: exit 0
from attack import *
import mmap
block = mmap.mmap(-1, 1 << 20)
address = ctypes.addressof(ctypes.c_char.from_buffer(block))
if libc.mlock(ctypes.c_void_p(address), ctypes.c_size_t(1 << 20)) == 0:
    escaped("locked memory")
