# Verdict: memory
import os, time
for _ in range(8):
    if os.fork() == 0:
        block = bytearray(12 << 20)
        time.sleep(60)
os.wait()
time.sleep(60)
