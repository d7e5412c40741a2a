# Verdict: memory
# Limits: scratch 268435456
import os
file = os.memfd_create("x")
os.ftruncate(file, 256 << 20)
for at in range(0, 256 << 20, 1 << 20):
    os.pwrite(file, b"x" * (1 << 20), at)
