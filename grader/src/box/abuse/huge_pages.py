# Verdict: exit 0
from attack import *
import mmap
def use():
    block = mmap.mmap(-1, 2 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x40000)
    block[0] = 1
must_raise("huge pages", use)
