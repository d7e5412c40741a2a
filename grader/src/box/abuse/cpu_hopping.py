# Verdict: cpu
# Limits: cpu 400
import os, time
# Each child uses less than any limit of one process, and exits.
while True:
    if os.fork() == 0:
        end = time.process_time() + 0.02
        while time.process_time() < end:
            pass
        os._exit(0)
    os.wait()
