# Verdict: memory
import mmap
blocks = []
while True:
    block = mmap.mmap(-1, 4 << 20)
    block.write(b"x" * len(block))
    try:
        block.madvise(21)
    except OSError:
        pass
    blocks.append(block)
