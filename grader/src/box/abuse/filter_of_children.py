# Verdict: exit 0
from attack import *
import subprocess
status = subprocess.run(["/bin/cat", "/proc/self/status"], capture_output=True, text=True).stdout
for line in ("Seccomp:\t2", "NoNewPrivs:\t1", "CapEff:\t0000000000000000", "CapBnd:\t0000000000000000"):
    if line not in status:
        escaped("a child without " + line)
