# Verdict: exit 137
import os, signal
os.kill(os.getpid(), signal.SIGKILL)
