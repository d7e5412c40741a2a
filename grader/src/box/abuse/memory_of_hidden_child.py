# Verdict: memory
import os
if os.fork() == 0:
    block = bytearray(256 << 20)
os.wait()
os._exit(0)
