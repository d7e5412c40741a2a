# Verdict: killed
import os
for _ in range(4):
    os.fork()
while True:
    os.write(1, b"x\n" * 1000)
