# Verdict: exit 0
from attack import *
import subprocess
for command in (
    ["ip", "link", "add", "x", "type", "dummy"],
    ["ip", "addr", "add", "10.0.0.2/8", "dev", "lo"],
    ["ping", "-c1", "-W1", "1.1.1.1"],
    ["curl", "-m1", "http://169.254.169.254/"],
    ["iptables", "-F"],
    ["nft", "flush", "ruleset"],
):
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=3)
    except (OSError, subprocess.TimeoutExpired):
        continue
    if done.returncode == 0:
        escaped(" ".join(command))
