# Verdict: wall or memory
# Limits: wall 1000
import os
while True:
    try:
        os.fork()
    except OSError:
        pass
