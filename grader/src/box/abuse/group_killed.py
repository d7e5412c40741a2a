# Verdict: exit 137
import os, signal, time
os.killpg(0, signal.SIGKILL)
time.sleep(60)
