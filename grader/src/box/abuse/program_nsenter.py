# Verdict: exit 0
from attack import *
import subprocess
for command in (
    ["nsenter", "--target", "1", "--mount", "true"],
    ["nsenter", "--target", "1", "--pid", "true"],
    ["nsenter", "--target", "1", "--net", "true"],
    ["nsenter", "--target", "1", "--user", "true"],
):
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=3)
    except (OSError, subprocess.TimeoutExpired):
        continue
    if done.returncode == 0:
        escaped(" ".join(command))
