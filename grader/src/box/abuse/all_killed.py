# Verdict: wall
# Limits: wall 700
import os, time
os.kill(os.getppid(), 9)
os.kill(-1, 9)
time.sleep(60)
