# Verdict: wall
# Limits: wall 700
import os, signal
os.kill(os.getppid(), signal.SIGSTOP)
