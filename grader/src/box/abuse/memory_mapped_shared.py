# Verdict: memory
import mmap, os
block = mmap.mmap(-1, 256 << 20)
for at in range(0, len(block), 4096):
    block[at] = 1
