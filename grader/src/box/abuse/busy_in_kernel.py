# Verdict: cpu
# Limits: cpu 300
import os
while True:
    os.getrandom(1 << 20)
