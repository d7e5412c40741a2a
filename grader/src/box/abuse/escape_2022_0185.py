# Verdict: exit 0
from attack import *
for kind in (b"ext4", b"tmpfs", b"legacy", b"cgroup", b"cgroup2", b"proc", b"fuse", b"overlay"):
    must_fail("fsopen", kind, 0)
