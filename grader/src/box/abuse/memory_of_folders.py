# Verdict: memory
# Limits: memory 25165824
import os
at = 0
while True:
    os.makedirs("/tmp/%d/%d" % (at % 100, at))
    at += 1
