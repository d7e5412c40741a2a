# Verdict: exit 0
from attack import *
must_raise("control groups", os.listdir, "/sys/fs/cgroup")
must_fail("mount", b"none", b"/tmp", b"cgroup2", 0, None)
for line in open("/proc/self/cgroup"):
    if not line.strip().endswith(":/"):
        escaped("the group's place: " + line)
