# Verdict: exit 0
# Alone: it changes its input
import os
for number in (0, 1):
    os.set_blocking(number, False)
try:
    for _ in range(10000):
        os.write(0, b"x" * 65536)
except OSError:
    pass
os._exit(0)
