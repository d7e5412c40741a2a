# Verdict: memory
# Limits: memory 20971520
import os
at = 0
while True:
    os.makedirs("/tmp/%d" % (at // 1000), exist_ok=True)
    open("/tmp/%d/%d" % (at // 1000, at), "w").close()
    at += 1
