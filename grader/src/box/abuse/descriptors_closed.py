# Verdict: wall
# Limits: wall 700
import os, time
os.closerange(0, 1000)
time.sleep(600)
