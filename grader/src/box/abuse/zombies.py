# Verdict: exit 0
# Alone: it needs a box of its own
import os
count = 0
try:
    for _ in range(1000):
        if os.fork() == 0:
            os._exit(0)
        count += 1
except OSError:
    pass
print(count)
