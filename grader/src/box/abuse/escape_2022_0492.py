# Verdict: exit 0
from attack import *
for kind in (b"cgroup", b"cgroup2"):
    must_fail("mount", b"none", b"/tmp", kind, 0, b"rdma")
must_raise("release agent", open, "/sys/fs/cgroup/rdma/release_agent", "w")
must_fail("unshare", 0x02000000 | 0x10000000)
