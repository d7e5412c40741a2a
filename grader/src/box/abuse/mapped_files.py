# Verdict: exit 0
from attack import *
for line in open("/proc/self/maps"):
    parts = line.split(None, 5)
    if len(parts) == 6 and not parts[5].startswith(("/usr/", "[", "/abuse", "/lib", "/memfd", "/dev/zero")):
        escaped("a mapped file: " + parts[5])
