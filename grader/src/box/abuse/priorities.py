# Verdict: exit 0
from attack import *
must_raise("priority", os.setpriority, os.PRIO_PROCESS, 0, -20)
must_raise("round robin", os.sched_setscheduler, 0, os.SCHED_RR, os.sched_param(1))
deadline = (48).to_bytes(4, "little") + (6).to_bytes(4, "little") + bytes(16) + b"".join(n.to_bytes(8, "little") for n in (10**7, 10**8, 10**8))
must_fail("sched_setattr", 0, deadline, 0)
must_fail("ioprio_set", 1, 0, 1 << 13)
