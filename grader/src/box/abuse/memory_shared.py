# Verdict: memory
import mmap
block = mmap.mmap(-1, 256 << 20)
for at in range(0, 256 << 20, 4096):
    block[at] = 1
