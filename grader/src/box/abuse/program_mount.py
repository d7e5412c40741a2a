# Verdict: exit 0
from attack import *
import subprocess
for command in (
    ["mount", "-t", "tmpfs", "none", "/tmp"],
    ["mount", "--bind", "/usr", "/tmp"],
    ["mount", "-o", "remount,rw", "/usr"],
    ["umount", "-l", "/usr"],
    ["fusermount", "-u", "/tmp"],
    ["losetup", "-f", "/tmp/x"],
    ["swapon", "/tmp/x"],
):
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=3)
    except (OSError, subprocess.TimeoutExpired):
        continue
    if done.returncode == 0:
        escaped(" ".join(command))
