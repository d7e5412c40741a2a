# Verdict: exit 143
import os, signal
parent = os.getpid()
if os.fork() == 0:
    os.kill(parent, signal.SIGTERM)
    os._exit(0)
signal.pause()
