# Verdict: exit 0
from attack import *
import subprocess
for command in (
    ["chroot", "/", "true"],
    ["pivot_root", "/tmp", "/tmp"],
    ["switch_root", "/tmp", "/bin/true"],
):
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=3)
    except (OSError, subprocess.TimeoutExpired):
        continue
    if done.returncode == 0:
        escaped(" ".join(command))
