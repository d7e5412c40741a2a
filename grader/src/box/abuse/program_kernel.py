# Verdict: exit 0
from attack import *
import subprocess
for command in (
    ["modprobe", "dummy"],
    ["insmod", "/tmp/x.ko"],
    ["rmmod", "ext4"],
    ["sysctl", "-w", "kernel.hostname=x"],
    ["setpriv", "--inh-caps", "+sys_admin", "--ambient-caps", "+sys_admin", "grep", "CapEff:.*[1-9a-f]", "/proc/self/status"],
    ["date", "-s", "2001-01-01"],
    ["hwclock", "-w"],
    ["reboot", "-f"],
    ["shutdown", "now"],
    ["dmesg", "--clear"],
):
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=3)
    except (OSError, subprocess.TimeoutExpired):
        continue
    if done.returncode == 0:
        escaped(" ".join(command))
