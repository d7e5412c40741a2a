# Verdict: exit 0
from attack import *
import subprocess
for command in (
    ["su", "-c", "true"],
    ["sudo", "-n", "true"],
    ["passwd", "-d", "root"],
    ["newgrp", "root"],
    ["chsh", "-s", "/bin/sh", "root"],
    ["setpriv", "--reuid", "0", "true"],
    ["setpriv", "--ambient-caps", "+all", "grep", "CapEff:.*[1-9a-f]", "/proc/self/status"],
    ["newuidmap", "1", "0", "0", "1"],
    ["pkexec", "true"],
    ["crontab", "/dev/null"],
    ["at", "now"],
):
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=3)
    except (OSError, subprocess.TimeoutExpired):
        continue
    if done.returncode == 0:
        escaped(" ".join(command))
