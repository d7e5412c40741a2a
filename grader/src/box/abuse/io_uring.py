# Verdict: exit 0
from attack import *
must_fail("io_uring_setup", 4, b"\0" * 120)
must_fail("io_uring_enter", 0, 0, 0, 0, None)
must_fail("io_uring_register", 0, 0, None, 0)
