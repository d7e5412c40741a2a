# Verdict: exit 0
from attack import *
import resource
for name in ("RLIMIT_NPROC", "RLIMIT_FSIZE", "RLIMIT_NOFILE", "RLIMIT_CORE", "RLIMIT_MEMLOCK"):
    limit = getattr(resource, name)
    hard = resource.getrlimit(limit)[1]
    must_raise(name, resource.setrlimit, limit, (hard + 1, hard + 1))
must_raise("nice", os.nice, -5)
must_raise("real-time priority", os.sched_setscheduler, 0, os.SCHED_FIFO, os.sched_param(1))
must_raise("a lower score for the kernel's killer", lambda: os.write(os.open("/proc/self/oom_score_adj", os.O_WRONLY), b"-1000"))
