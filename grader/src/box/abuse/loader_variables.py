# Verdict: exit 0
from attack import *
import subprocess
must_raise("/etc/ld.so.preload", open, "/etc/ld.so.preload", "w")
must_raise("/etc/ld.so.cache", open, "/etc/ld.so.cache", "r+b")
for program in ("su", "passwd", "mount", "chsh", "newgrp", "sudo", "ping"):
    path = "/usr/bin/" + program
    if os.path.exists(path):
        try:
            done = subprocess.run([path, "--version"], env={"LD_PRELOAD": "/tmp/x.so", "LD_DEBUG": "all"}, stdin=subprocess.DEVNULL, capture_output=True, timeout=2)
        except (OSError, subprocess.TimeoutExpired):
            continue
status = open("/proc/self/status").read()
if "Uid:\t1000\t1000\t1000\t1000" not in status:
    escaped("another user")
