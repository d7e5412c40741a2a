# Verdict: wall or memory
# Limits: wall 600
import os
while True:
    try:
        if os.fork() == 0:
            os.setsid()
            os.fork()
    except OSError:
        pass
