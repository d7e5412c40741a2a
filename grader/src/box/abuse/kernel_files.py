# Verdict: exit 0
from attack import *
for name in ("kallsyms", "config.gz", "interrupts", "stat", "diskstats", "loadavg", "cmdline", "keys", "locks", "kcore", "kmsg", "vmstat"):
    try:
        if open("/proc/" + name, "rb").read(1):
            escaped("/proc/" + name)
    except OSError:
        pass
must_raise("/sys", os.listdir, "/sys")
