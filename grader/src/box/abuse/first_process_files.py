# Verdict: exit 0
from attack import *
for name in ("mem", "environ", "exe", "cwd/x", "root/etc/shadow", "fd/0", "fd/3", "fd/4", "fd/5", "fd/6", "stack", "syscall"):
    try:
        text = open("/proc/1/" + name, "rb").read(100)
    except OSError:
        continue
    if name in ("environ",) and not text:
        continue
    if WORD.encode() in text or name in ("root/etc/shadow", "stack"):
        escaped("/proc/1/" + name)
