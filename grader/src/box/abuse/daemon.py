# Verdict: exit 0
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.chdir("/tmp")
        time.sleep(600)
    os._exit(0)
