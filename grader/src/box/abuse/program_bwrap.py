# Verdict: exit 0
from attack import *
import subprocess
for command in (
    ["bwrap", "--ro-bind", "/", "/", "true"],
    ["bwrap", "--unshare-user", "--bind", "/", "/", "true"],
    ["bwrap", "--dev-bind", "/", "/", "--proc", "/proc", "true"],
):
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=3)
    except (OSError, subprocess.TimeoutExpired):
        continue
    if done.returncode == 0:
        escaped(" ".join(command))
