# Verdict: wall
# Limits: wall 400
import time
time.sleep(3600)
