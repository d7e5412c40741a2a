# Verdict: memory
import time
blocks = []
while True:
    blocks.append(bytearray(2 << 20))
    time.sleep(0.002)
