# Verdict: exit 0
# Alone: a process stays
import os, time
if os.fork() == 0:
    time.sleep(5)
    os.write(1, b"ESCAPED: a survivor\n")
