# Verdict: exit 0
from attack import *
must_fail("bpf", 0, b"\0" * 128, 128)
must_fail("perf_event_open", b"\0" * 128, 0, -1, -1, 0)
must_fail("userfaultfd", 1)
must_fail("add_key", b"user", b"box", b"x", 1, -3)
must_fail("request_key", b"user", b"box", None, 0)
must_fail("keyctl", 0, -3, 1)
must_fail("init_module", b"", 0, b"")
must_fail("finit_module", 0, b"", 0)
must_fail("delete_module", b"ext4", 0)
must_fail("kexec_load", 0, 0, None, 0)
must_fail("memfd_secret", 0)
