# Verdict: exit 0
from attack import *
for name in ("iomem", "ioports"):
    for line in contents("/proc/" + name).splitlines():
        if int(line.split("-")[0], 16):
            escaped("/proc/%s: %s" % (name, line.strip()))
            break
if os.path.exists("/proc/kallsyms") and open("/proc/kallsyms").read(10):
    escaped("addresses of the kernel")
