# Verdict: exit 0
from attack import *
must_fail("clock_settime", 0, b"\0" * 16)
must_fail("settimeofday", b"\0" * 16, None)
must_fail("adjtimex", b"\1" + b"\0" * 255)
must_fail("sethostname", b"x", 1)
must_fail("setdomainname", b"x", 1)
must_fail("reboot", 0xFEE1DEAD, 672274793, 0, None)
for path in ("kernel/core_pattern", "kernel/sysrq", "vm/drop_caches", "user/max_user_namespaces", "fs/file-max"):
    must_raise(path, lambda: os.write(os.open("/proc/sys/" + path, os.O_WRONLY), b"1"))
