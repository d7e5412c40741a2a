# Verdict: exit 0
import os, time
if os.fork() == 0:
    time.sleep(600)
print("done", flush=True)
os._exit(0)
