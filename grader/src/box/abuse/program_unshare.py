# Verdict: exit 0
from attack import *
import subprocess
for command in (
    ["unshare", "--user", "true"],
    ["unshare", "--mount", "true"],
    ["unshare", "--pid", "true"],
    ["unshare", "--net", "true"],
    ["unshare", "--ipc", "true"],
    ["unshare", "--uts", "true"],
    ["unshare", "--cgroup", "true"],
    ["unshare", "--time", "true"],
    ["unshare", "--user", "--map-root-user", "true"],
):
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=3)
    except (OSError, subprocess.TimeoutExpired):
        continue
    if done.returncode == 0:
        escaped(" ".join(command))
